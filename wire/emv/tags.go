package emv

import "jiaozi/wire/tlv"

// Templates.
const (
	TagFCI              tlv.Tag = 0x6F
	TagFCIProprietary   tlv.Tag = 0xA5
	TagFCIDiscretionary tlv.Tag = 0xBF0C
	TagDirectoryEntry   tlv.Tag = 0x61
	TagRecord           tlv.Tag = 0x70
	TagScriptBefore     tlv.Tag = 0x71 // run before the second GENERATE AC
	TagScriptAfter      tlv.Tag = 0x72 // run after it
	TagResponse2        tlv.Tag = 0x77 // objects with tags
	TagResponse1        tlv.Tag = 0x80 // values only
	TagCommand          tlv.Tag = 0x83
	TagScriptCommand    tlv.Tag = 0x86
	TagScriptID         tlv.Tag = 0x9F18
)

// Selection.
const (
	TagAID           tlv.Tag = 0x4F
	TagLabel         tlv.Tag = 0x50
	TagDFName        tlv.Tag = 0x84
	TagPriority      tlv.Tag = 0x87
	TagSFI           tlv.Tag = 0x88
	TagAIDTerminal   tlv.Tag = 0x9F06
	TagCodeTable     tlv.Tag = 0x9F11
	TagPreferredName tlv.Tag = 0x9F12
	TagKernelID      tlv.Tag = 0x9F2A
	TagPDOL          tlv.Tag = 0x9F38
	TagLanguage      tlv.Tag = 0x5F2D
	TagLogEntry      tlv.Tag = 0x9F4D
	TagLogFormat     tlv.Tag = 0x9F4F
)

// What the card says about itself and its holder.
const (
	TagTrack1Disc     tlv.Tag = 0x9F1F
	TagTrack2         tlv.Tag = 0x57
	TagPAN            tlv.Tag = 0x5A
	TagHolderName     tlv.Tag = 0x5F20
	TagExpiry         tlv.Tag = 0x5F24
	TagEffective      tlv.Tag = 0x5F25
	TagIssuerCountry  tlv.Tag = 0x5F28
	TagServiceCode    tlv.Tag = 0x5F30
	TagPSN            tlv.Tag = 0x5F34
	TagAIP            tlv.Tag = 0x82
	TagAFL            tlv.Tag = 0x94
	TagCDOL1          tlv.Tag = 0x8C
	TagCDOL2          tlv.Tag = 0x8D
	TagCVMList        tlv.Tag = 0x8E
	TagAUC            tlv.Tag = 0x9F07
	TagCardVersion    tlv.Tag = 0x9F08
	TagIACDefault     tlv.Tag = 0x9F0D
	TagIACDenial      tlv.Tag = 0x9F0E
	TagIACOnline      tlv.Tag = 0x9F0F
	TagLastOnlineATC  tlv.Tag = 0x9F13
	TagPINTries       tlv.Tag = 0x9F17
	TagAppCurrency    tlv.Tag = 0x9F42
	TagPBOCCurrency   tlv.Tag = 0x9F51
	TagProductID      tlv.Tag = 0x9F63
	TagCardProcesses  tlv.Tag = 0x9F68
	TagCardCVMLimit   tlv.Tag = 0x9F6B
	TagHolderIDNumber tlv.Tag = 0x9F61
	TagHolderIDType   tlv.Tag = 0x9F62
)

// Offline data authentication.
const (
	TagCAIndex         tlv.Tag = 0x8F
	TagIssuerCert      tlv.Tag = 0x90
	TagIssuerRemainder tlv.Tag = 0x92
	TagIssuerExponent  tlv.Tag = 0x9F32
	TagSSAD            tlv.Tag = 0x93
	TagDataAuthCode    tlv.Tag = 0x9F45
	TagICCCert         tlv.Tag = 0x9F46
	TagICCExponent     tlv.Tag = 0x9F47
	TagICCRemainder    tlv.Tag = 0x9F48
	TagDDOL            tlv.Tag = 0x9F49
	TagSDATagList      tlv.Tag = 0x9F4A
	TagSDAD            tlv.Tag = 0x9F4B
	TagICCDynamic      tlv.Tag = 0x9F4C
	TagCardAuthData    tlv.Tag = 0x9F69
	TagCAIndexTerminal tlv.Tag = 0x9F22
)

// What the terminal says.
const (
	TagAmount          tlv.Tag = 0x9F02
	TagAmountOther     tlv.Tag = 0x9F03
	TagAmountBinary    tlv.Tag = 0x81
	TagCurrency        tlv.Tag = 0x5F2A
	TagDate            tlv.Tag = 0x9A
	TagTime            tlv.Tag = 0x9F21
	TagTxnType         tlv.Tag = 0x9C
	TagUN              tlv.Tag = 0x9F37
	TagTVR             tlv.Tag = 0x95
	TagTSI             tlv.Tag = 0x9B
	TagCVMResults      tlv.Tag = 0x9F34
	TagTerminalCountry tlv.Tag = 0x9F1A
	TagTerminalCaps    tlv.Tag = 0x9F33
	TagTerminalType    tlv.Tag = 0x9F35
	TagAddlCaps        tlv.Tag = 0x9F40
	TagTerminalVersion tlv.Tag = 0x9F09
	TagTerminalID      tlv.Tag = 0x9F1C
	TagMerchantID      tlv.Tag = 0x9F16
	TagMerchantName    tlv.Tag = 0x9F4E
	TagMCC             tlv.Tag = 0x9F15
	TagSerial          tlv.Tag = 0x9F1E
	TagFloorLimit      tlv.Tag = 0x9F1B
	TagTxnCounter      tlv.Tag = 0x9F41
	TagPOSEntry        tlv.Tag = 0x9F39
	TagTTQ             tlv.Tag = 0x9F66
)

// Cryptograms and what travels with them.
const (
	TagAC           tlv.Tag = 0x9F26
	TagCID          tlv.Tag = 0x9F27
	TagATC          tlv.Tag = 0x9F36
	TagIAD          tlv.Tag = 0x9F10
	TagCTQ          tlv.Tag = 0x9F6C
	TagFormFactor   tlv.Tag = 0x9F6E
	TagARC          tlv.Tag = 0x8A
	TagIssuerAuth   tlv.Tag = 0x91
	TagScriptResult tlv.Tag = 0xDF31
)

// PBOC electronic cash (JR/T 0025.13).
const (
	TagECBalance        tlv.Tag = 0x9F79
	TagECBalanceLimit   tlv.Tag = 0x9F77
	TagECSingleLimit    tlv.Tag = 0x9F78
	TagECResetThreshold tlv.Tag = 0x9F6D
	TagECIssuerAuth     tlv.Tag = 0x9F74
	TagECSupport        tlv.Tag = 0x9F7A
	TagECTerminalLimit  tlv.Tag = 0x9F7B
	TagOfflineAvailable tlv.Tag = 0x9F5D
	TagEC2Currency      tlv.Tag = 0xDF71
	TagEC2Balance       tlv.Tag = 0xDF79
	TagEC2BalanceLimit  tlv.Tag = 0xDF77
	TagEC2SingleLimit   tlv.Tag = 0xDF78
	TagEC2Threshold     tlv.Tag = 0xDF76
	TagLoadLogEntry     tlv.Tag = 0xDF4D
	TagLoadLogFormat    tlv.Tag = 0xDF4F
)

// Transaction types (tag 9C, the first two digits of the processing code).
const (
	TxnPurchase    byte = 0x00
	TxnCash        byte = 0x01
	TxnRefund      byte = 0x20
	TxnInquiry     byte = 0x31
	TxnLoadAccount byte = 0x60 // load from the card's own account
	TxnLoadOther   byte = 0x62 // load from another account
	TxnLoadCash    byte = 0x63 // load against cash
	TxnClosure     byte = 0x29 // refund of the balance when a card is closed
)
