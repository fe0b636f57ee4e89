package sync

import (
	"fmt"
	"strings"
)

// Kind is the kind of a thing that the engine keeps in step.
type Kind string

// The kinds, in the order in which listings show them.
const (
	KindUser      Kind = "user"
	KindExtension Kind = "extension"
	KindDevice    Kind = "device"
	KindDDI       Kind = "ddi"
	KindLicence   Kind = "licence"
	// KindOptions, KindKeys and KindSettings are read only where a manifest names them (details.go).
	KindOptions  Kind = "options"
	KindKeys     Kind = "keys"
	KindSettings Kind = "settings"
	// KindRelease: what a run gave up (release.go); upstream knows nothing of it.
	KindRelease Kind = "release"
)

// Kinds lists every kind in display order.
func Kinds() []Kind {
	return []Kind{KindUser, KindExtension, KindDevice, KindDDI, KindLicence, KindOptions, KindKeys, KindSettings, KindRelease}
}

// Refreshed tells whether a refresh reads all of a kind; of the others there is what a manifest named, or a run did.
func Refreshed(k Kind) bool {
	switch k {
	case KindUser, KindExtension, KindDevice, KindDDI, KindLicence:
		return true
	}
	return false
}

// Key names one thing by its natural key, never by an upstream id:
//
//	user       login e-mail, lower case          user/ann@demo.example
//	extension  PBX id, "/", short number         extension/PBX712e-…/81011
//	device     MAC as 12 lower-case hex digits,  device/aabbccddee02
//	           or "ipei:" and the IPEI
//	ddi        E.164 with its plus sign          ddi/+33298300513
//	licence    id of the company's subscription  licence/5b7d0c0ffee0000000000301
//	options    group, "/", login                 options/barring/ann@demo.example
//	keys       the device's                      keys/aabbccddee02
//	settings   group, "/", pbxId                 settings/overflow/PBX712e-…
//	release    the thing's key                   release/ddi/+33298300513
//
// A licence is the exception: manifests name the offer, and an offer may have several subscriptions.
type Key struct {
	Kind Kind
	ID   string
}

func (k Key) String() string { return string(k.Kind) + "/" + k.ID }

// ParseKey is the inverse of Key.String.
func ParseKey(s string) (Key, error) {
	kind, id, ok := strings.Cut(s, "/")
	if !ok || id == "" {
		return Key{}, fmt.Errorf("key %q: want kind/id", s)
	}
	for _, k := range Kinds() {
		if string(k) == kind {
			return Key{k, id}, nil
		}
	}
	return Key{}, fmt.Errorf("key %q: unknown kind %q", s, kind)
}

// Compare orders keys by kind (display order), then by id.
func (k Key) Compare(o Key) int {
	if k.Kind != o.Kind {
		return kindRank(k.Kind) - kindRank(o.Kind)
	}
	return strings.Compare(k.ID, o.ID)
}

func kindRank(k Kind) int {
	for i, kind := range Kinds() {
		if kind == k {
			return i
		}
	}
	return len(Kinds())
}

// MarshalText writes the key as kind/id.
func (k Key) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText reads kind/id.
func (k *Key) UnmarshalText(b []byte) error {
	parsed, err := ParseKey(string(b))
	if err == nil {
		*k = parsed
	}
	return err
}

// Login is a user's login e-mail in lower case: the natural key of a user.
type Login string

// Key names the user.
func (l Login) Key() Key { return Key{KindUser, string(l)} }

// ParseLogin normalises a login e-mail: trimmed, lower case. Rainbow compares logins without case (S2S samples).
func ParseLogin(s string) (Login, error) {
	if plainLogin(s) {
		return Login(s), nil
	}
	s = strings.ToLower(strings.TrimSpace(s))
	local, domain, ok := strings.Cut(s, "@")
	if !ok || local == "" || domain == "" || strings.ContainsAny(s, " \t\r\n,;<>\"") || strings.Contains(domain, "@") {
		return "", fmt.Errorf("%q is not an e-mail address", s)
	}
	return Login(s), nil
}

// plainLogin tells of nearly all logins at a glance that they are in normal form.
func plainLogin(s string) bool {
	at := 0
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9', c == '.', c == '-', c == '_':
		case c == '@' && at == 0 && i > 0:
			at = i
		default:
			return false
		}
	}
	return at > 0 && at < len(s)-1
}

// Number is a short number (extension): 1 to 10 digits, kept as text because leading zeros count.
type Number string

// ParseNumber checks a short number.
func ParseNumber(s string) (Number, error) {
	s = strings.TrimSpace(s)
	if len(s) < 1 || len(s) > 10 || strings.Trim(s, "0123456789") != "" {
		return "", fmt.Errorf("%q is not a short number: want 1 to 10 digits", s)
	}
	return Number(s), nil
}

// ExtensionKey names a short number of one PBX (cloud or equipped) by the PBX's pbxId.
func ExtensionKey(pbxID string, n Number) Key { return Key{KindExtension, pbxID + "/" + string(n)} }

// DeviceKey is a SIP device's natural key: its MAC address as 12 lower-case hex digits, or "ipei:" and the IPEI of a
// DECT handset, or "id:" and the upstream id of a generic SIP device that has neither.
type DeviceKey string

// Key names the device.
func (d DeviceKey) Key() Key { return Key{KindDevice, string(d)} }

// The separators that people write into MAC addresses and phone numbers.
var (
	macSeparators   = strings.NewReplacer(":", "", "-", "", ".", "")
	phoneSeparators = strings.NewReplacer(" ", "", "-", "", ".", "", "(", "", ")", "", "/", "")
)

// ParseMAC reads a MAC address with colons, dashes, dots or no separators, in any case.
func ParseMAC(s string) (DeviceKey, error) {
	s = strings.TrimSpace(s)
	plain := strings.ToLower(macSeparators.Replace(s))
	if len(plain) != 12 || strings.Trim(plain, "0123456789abcdef") != "" {
		return "", fmt.Errorf("%q is not a MAC address: want 12 hex digits such as aa:bb:cc:dd:ee:02", s)
	}
	return DeviceKey(plain), nil
}

// String shows a MAC with colons, as people write it.
func (d DeviceKey) String() string {
	if len(d) != 12 || strings.Contains(string(d), ":") {
		return string(d)
	}
	parts := make([]string, 6)
	for i := range parts {
		parts[i] = string(d[2*i : 2*i+2])
	}
	return strings.Join(parts, ":")
}

// E164 is a public number with its plus sign.
type E164 string

// Key names the DDI.
func (n E164) Key() Key { return Key{KindDDI, string(n)} }

// ParseE164 reads an E.164 number with or without its plus sign (the SDK's sample has none), blanks and dashes ignored.
func ParseE164(s string) (E164, error) {
	s = strings.TrimSpace(s)
	plain := strings.TrimPrefix(phoneSeparators.Replace(s), "+")
	if len(plain) < 7 || len(plain) > 15 || plain[0] == '0' || strings.Trim(plain, "0123456789") != "" {
		return "", fmt.Errorf("%q is not an E.164 number: want the country code and up to 15 digits, such as +33298300513", s)
	}
	return E164("+" + plain), nil
}

// Offer is the name of an offer as the company's catalogue spells it; names compare without case and outer blanks.
type Offer string

// Same tells whether two offer names mean the same offer.
func (o Offer) Same(p Offer) bool {
	return strings.EqualFold(strings.TrimSpace(string(o)), strings.TrimSpace(string(p)))
}
