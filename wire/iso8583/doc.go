// Package iso8583 turns ISO 8583 messages into values and back. A dialect is a
// Spec, which is data: a table of fields and a table of message types. Two are
// shipped: POS, the UnionPay-style terminal dialect (64-bit bitmap, BCD), and
// Interchange, the inner form between acquirer and issuer (MAC in field 128).
//
//	bytes --DecodeFrame--> TPDU, header, body --Spec.Decode--> Message
//	Message --Spec.Append / Spec.Seal--> body --AppendFrame--> bytes
//
// It promises that Decode refuses everything it does not fully understand (type,
// field, length, digit, padding, trailing bytes), that Append after Decode gives
// the same bytes, and that no error and no Describe line shows a whole card
// number, a track, a PIN block or a cryptogram key.
//
// It refuses to know keys, networks, clocks and what a message means for
// anybody's money: MAB and Seal hand the bytes to a function of the caller.
//
// Start with Spec.Decode, Message.Get and Spec.Seal; the typed sub-fields are F60,
// Original, Totals, KeyField and ListChunk.
package iso8583
