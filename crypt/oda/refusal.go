package oda

import "fmt"

// Reason says why a signed object was refused. The codes are stable; a terminal
// logs them and a test names them.
type Reason string

// Reasons for refusing a certificate or signature.
const (
	BadKey       Reason = "bad_key"        // the key to verify with is outside the bounds of PublicKey.Check
	BadLength    Reason = "bad_length"     // the object is not as long as the modulus that signed it
	NotRecovered Reason = "not_recovered"  // header, format or trailer is wrong: another key signed it, or it was altered
	BadAlgorithm Reason = "bad_algorithm"  // a hash or key algorithm that EMV does not define as 01
	BadHash      Reason = "bad_hash"       // what the card presented is not what was signed
	BadKeyLength Reason = "bad_key_length" // the certified modulus is outside the bounds of PublicKey.Check
	BadRemainder Reason = "bad_remainder"  // the rest of the modulus is missing, superfluous or of wrong length
	BadExponent  Reason = "bad_exponent"   // the certified exponent is neither 3 nor 65537, or not the length stated
	BadPadding   Reason = "bad_padding"    // the field is not filled with BB
	WrongIssuer  Reason = "wrong_issuer"   // the certificate's issuer digits do not begin this PAN
	WrongPAN     Reason = "wrong_pan"      // the certificate belongs to another PAN
	BadDate      Reason = "bad_date"       // the expiry is no month
	Expired      Reason = "expired"        // the certificate's last day is past
	CAExpired    Reason = "ca_expired"     // the certification authority's key is past its date
	BadDynamic   Reason = "bad_dynamic"    // the ICC dynamic data lacks its inner length byte, or that does not fit
)

var texts = map[Reason]string{
	BadKey:       "the verifying key is too short, too long or malformed; load a key of 1024 to 1984 bits",
	BadLength:    "it is not as long as the modulus that should have signed it",
	NotRecovered: "it does not open under this key; it was altered or another key signed it",
	BadAlgorithm: "it names an algorithm that is not supported",
	BadHash:      "the data presented with it is not the data that was signed",
	BadKeyLength: "the modulus it certifies is too short, too long or malformed",
	BadRemainder: "the remainder of the certified key is missing, superfluous or of the wrong length",
	BadExponent:  "the exponent of the certified key is neither 3 nor 65537",
	BadPadding:   "unused bytes are not filled with BB",
	WrongIssuer:  "its issuer digits do not begin this card's number",
	WrongPAN:     "it was issued for another card number",
	BadDate:      "its expiry is not a month",
	Expired:      "it has expired",
	CAExpired:    "the certification authority's key has expired; load the current key",
	BadDynamic:   "the ICC dynamic data lacks its inner length byte or states a wrong one",
}

// Refusal is the error of every recovery and verification: which object, and
// why. It carries no card data.
type Refusal struct {
	Object string
	Reason Reason
}

// Error is a sentence.
func (r *Refusal) Error() string { return fmt.Sprintf("%s refused: %s", r.Object, texts[r.Reason]) }

// Objects that a Refusal names.
const (
	issuerCert = "issuer certificate"
	iccCert    = "card certificate"
	signedData = "signed dynamic data"
)

func refuse(object string, why Reason) error { return &Refusal{object, why} }
