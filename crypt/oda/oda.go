// Package oda is offline data authentication: the chain of RSA certificates by
// which a terminal, alone with a card, learns that the card is genuine, and the
// card's signature over this very transaction (DDA, and fDDA for a tap).
//
//	CA key --certificate 90--> issuer key --certificate 9F46--> card key --9F4B--> this transaction
//
// The issuing side is IssueIssuerCert, IssueICCCert and SignDynamic; the
// terminal's side is RecoverIssuer, RecoverICC and VerifyDynamic. Every refusal
// is a *Refusal with a stable Reason. Nothing is accepted in part: a recovered
// key is returned only after header, lengths, padding, hash, names and dates all
// fitted.
//
// Private keys are opaque. The private operation is CRT in constant time on
// filippo.io/bigmod, because crypto/rsa offers neither EMV's raw operation nor
// its key sizes, and every result is checked before release. Formats follow EMV
// Book 2, clauses 5 and 6; the text was not at hand, chains were compared with
// published ones. The hash is SHA-1, the only one that EMV defines for RSA: here
// it needs to resist second preimages of data the issuer chose, and still does.
// CDA, static authentication and SM2 come with a later issue.
package oda
