package vault

import "jiaozi/crypt/oda"

// RSAPublic gives the public half of a certification key.
func (v *Vault) RSAPublic(h Handle) (oda.PublicKey, error) {
	k, err := use[*rsaKey](v, h, RSACA, RSAIssuer)
	if err != nil {
		return oda.PublicKey{}, err
	}
	return k.key.Public(), nil
}

// CertifyIssuer makes the certificate of an issuer's key that lies in this vault;
// in.Key is filled in.
func (v *Vault) CertifyIssuer(ca, issuer Handle, in oda.IssuerCertInput) (oda.Certificate, error) {
	signer, err := use[*rsaKey](v, ca, RSACA)
	if err != nil {
		return oda.Certificate{}, err
	}
	certified, err := use[*rsaKey](v, issuer, RSAIssuer)
	if err != nil {
		return oda.Certificate{}, err
	}
	in.Key = certified.key.Public()
	return oda.IssueIssuerCert(signer.key, in)
}

// CertifyCard makes the certificate of a card's key and static data.
func (v *Vault) CertifyCard(issuer Handle, in oda.ICCCertInput) (oda.Certificate, error) {
	signer, err := use[*rsaKey](v, issuer, RSAIssuer)
	if err != nil {
		return oda.Certificate{}, err
	}
	return oda.IssueICCCert(signer.key, in)
}
