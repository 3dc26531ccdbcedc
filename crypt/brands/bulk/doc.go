// Package bulk decodes many ristretto255 elements and adds up their multiples, faster than a library that must do for
// one what it does for all. It is for public data alone: everything here takes a time that depends on its input.
//
// Decoding an element (RFC 9496, 4.3.1) needs an inverse square root, an exponentiation, which is most of its cost.
// Who sends an element can say that root with it: a Witness, checked with a multiplication or two. A witness is not
// trusted. One that is wrong, for whatever reason, costs time: the element is decoded as if it had come without.
//
//	sender                              receiver
//	WitnessOf(encoding)    -------->    Point.Decode(encoding, witness): the same point, or the same refusal
//	                                    Sum.Add, as often as there are points; Sum.IsZeroVartime
//
// The package refuses to know what is added up and why: brands does. Its arithmetic is that of
// filippo.io/edwards25519/field; the formulas on top are tested against another library's group.
package bulk
