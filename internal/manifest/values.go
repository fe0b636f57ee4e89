package manifest

import (
	"strings"
	"time"
	_ "time/tzdata" // the check of time zones must not depend on the machine
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/language"

	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// maxTag is the longest tag, in characters (Rainbow Node SDK, createUser: "tags").
const maxTag = 64

// values checks the values of descriptive columns. It remembers what it has looked up: a manifest of 100,000 users
// names few time zones.
type values struct {
	zones     map[string]bool
	countries map[string]*problem
}

func newValues() *values {
	return &values{zones: map[string]bool{}, countries: map[string]*problem{}}
}

func (*values) text(s string) (string, *problem) { return s, textDamage(s) }

// word is text that is never a date.
func (*values) word(s string) (string, *problem) {
	p := textDamage(s)
	if c := s[0]; p == nil && len(s) <= 8 && strings.IndexByte(s, '-') > 0 && (c >= '0' && c <= '9' || s[len(s)-1] >= '0' && s[len(s)-1] <= '9') {
		p = date("value", s)
	}
	return s, p
}

// offer is the name of an offer; blanks inside of quotes do not matter.
func (*values) offer(s string) (string, *problem) {
	return strings.TrimSpace(s), textDamage(s)
}

// id is an identifier whose form is not documented.
func (*values) id(s string) (string, *problem) {
	return strings.TrimSpace(s), errorValue(s)
}

func (*values) tag(s string) (string, *problem) {
	if p := textDamage(s); p != nil {
		return s, p
	}
	if n := utf8.RuneCountInString(s); n > maxTag {
		return s, &problem{codeTooLong, "tag " + quote(s) + " has " + plural(n, "character", "characters"), "a tag has at most 64"}
	}
	return s, nil
}

// phone checks a number of a user's card. It is kept as it is written: Rainbow shows it that way.
func (*values) phone(s string) (string, *problem) {
	if digits := strings.TrimPrefix(s, "+"); len(digits) >= 7 && len(digits) <= 15 && digits[0] != '0' && allDigits(digits) {
		return s, nil // as most write them, without detour
	}
	_, p := parseE164("phone number", s)
	return strings.TrimSpace(s), p
}

// parseE164 reads an E.164 number; what names it in the message.
func parseE164(what, s string) (bulksync.E164, *problem) {
	if plainE164(s) { // without detour
		return bulksync.E164("+" + s), nil
	}
	if p := damage(what, s); p != nil && (p.code != codeDamaged || !spelled(s)) {
		return "", p
	}
	n, err := bulksync.ParseE164(s)
	if err == nil {
		return n, nil
	}
	p := &problem{codeBadE164, what + " " + quote(s) + " is not an E.164 number", "write the country code and up to 15 digits in all, such as +33298300513"}
	digits := digitsOf(s)
	switch {
	case strings.HasPrefix(digits, "00") && len(digits) > 8:
		p.hint = "write the country code without 00: +" + digits[2:]
	case strings.HasPrefix(digits, "0") && len(digits) > 6:
		p.hint = "this is the national form: write the country code instead of the first 0, such as +33" + digits[1:] + " for France"
	case len(digits) == len(s) && len(digits) < 7:
		p.hint = "this looks like an extension; a public number has its country code, such as +33298300513"
	}
	return "", p
}

// plainE164 tells whether a public number is written as the vendor writes them: digits with the country code, and no +.
func plainE164(s string) bool {
	return len(s) >= 7 && len(s) <= 15 && s[0] != '0' && allDigits(s)
}

// spelled tells whether a public number is written with the blanks or dots that people put between its digits: these are
// no thousands separators.
func spelled(s string) bool {
	return strings.Trim(s, "+0123456789 .") == "" && len(digitsOf(s)) >= 9 && separated("", s) != nil
}

// parseShortNumber reads an extension.
func parseShortNumber(what, s string) (bulksync.Number, *problem) {
	if len(s) <= 10 && allDigits(s) {
		return bulksync.Number(s), nil
	}
	if p := damage(what, s); p != nil {
		return "", p
	}
	n, err := bulksync.ParseNumber(s)
	if err == nil {
		return n, nil
	}
	p := &problem{codeBadShortNumber, what + " " + quote(s) + " is not an extension", "write 1 to 10 digits, such as 81011"}
	if digits := digitsOf(s); strings.HasPrefix(s, "+") || len(digits) > 10 {
		p.hint = "this looks like a public number; an extension has 1 to 10 digits"
	} else if digits != "" && strings.Trim(s, "0123456789 .,-'\u00a0\u202f") == "" {
		p.hint = "write the digits alone: " + digits
	}
	return "", p
}

// parseMAC reads a MAC address.
func parseMAC(s string) (bulksync.DeviceKey, *problem) {
	if key, ok := colonMAC(s); ok {
		return bulksync.DeviceKey(key[:]), nil
	}
	if p := damage("MAC address", s); p != nil {
		return "", p
	}
	key, err := bulksync.ParseMAC(s)
	if err == nil {
		return key, nil
	}
	p := &problem{codeBadMAC, "MAC address " + quote(s) + " does not have 12 hex digits", "write it like aa:bb:cc:dd:ee:02"}
	plain := strings.ToLower(strings.NewReplacer(":", "", "-", "", ".", "", " ", "").Replace(s))
	hex := strings.Trim(plain, "0123456789abcdef") == ""
	switch {
	case hex && len(plain) >= 8 && len(plain) < 12 && !strings.ContainsAny(s, ":-."):
		padded := bulksync.DeviceKey(strings.Repeat("0", 12-len(plain)) + plain)
		p.code, p.hint = codeDamaged, "leading zeros were lost, probably "+padded.String()+"; "+asText
	case hex && len(plain) == 12:
		p.hint = "write it without blanks: " + bulksync.DeviceKey(plain).String()
	case strings.ContainsAny(plain, "oO") && len(plain) == 12:
		p.hint = "it holds the letter O: write the digit 0"
	}
	return "", p
}

// colonMAC reads the usual form, aa:bb:cc:dd:ee:02, without detour.
func colonMAC(s string) (key [12]byte, ok bool) {
	if len(s) != 17 {
		return key, false
	}
	for i, n := 0, 0; i < len(s); i++ {
		c := s[i]
		if i%3 == 2 {
			if c != ':' {
				return key, false
			}
			continue
		}
		if 'A' <= c && c <= 'F' {
			c += 'a' - 'A'
		}
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return key, false
		}
		key[n] = c
		n++
	}
	return key, true
}

func (*values) email(s string) (string, *problem) {
	if p := errorValue(s); p != nil {
		return s, p
	}
	if _, err := bulksync.ParseLogin(s); err != nil {
		return s, &problem{codeBadEmail, quote(s) + " is not an e-mail address", "write one address such as ann@demo.example"}
	}
	return strings.TrimSpace(s), nil
}

func (v *values) country(s string) (string, *problem) {
	p, known := v.countries[s]
	if !known {
		p = checkCountry(s)
		v.countries[strings.Clone(s)] = p
	}
	return s, p
}

// checkCountry wants ISO 3166-1 alpha-3 (Rainbow CLI guide, mass provisioning).
func checkCountry(s string) *problem {
	region, err := language.ParseRegion(s)
	if err == nil && len(s) == 3 && region.ISO3() == s && region.IsCountry() {
		return nil
	}
	p := &problem{codeBadCountry, "country " + quote(s) + " is not a code of ISO 3166-1 alpha-3", "write three capital letters, such as FRA, DEU or USA"}
	if err == nil && region.ISO3() != "ZZZ" {
		p.hint = "write " + region.ISO3()
	}
	return p
}

// language wants ISO 639-1, a region behind it or not: fr, en-US (Rainbow CLI guide, mass provisioning).
func (*values) language(s string) (string, *problem) {
	lang, region, dashed := strings.Cut(s, "-")
	if isLetters(lang, 2, unicode.IsLower) && (!dashed || isLetters(region, 2, unicode.IsUpper)) {
		return s, nil
	}
	p := &problem{codeBadLanguage, "language " + quote(s) + " is not of the form fr or en-US", "write the ISO 639-1 code in lower case, and the country in capitals behind a dash"}
	lang, region, dashed = strings.Cut(strings.ReplaceAll(strings.ToLower(strings.TrimSpace(s)), "_", "-"), "-")
	if isLetters(lang, 2, unicode.IsLower) && (!dashed || isLetters(region, 2, unicode.IsLower)) {
		p.hint = "write " + lang
		if dashed {
			p.hint += "-" + strings.ToUpper(region)
		}
	}
	return s, p
}

func isLetters(s string, n int, class func(rune) bool) bool {
	for _, r := range s {
		if r >= utf8.RuneSelf || !class(r) {
			return false
		}
	}
	return len(s) == n
}

func (v *values) timezone(s string) (string, *problem) {
	known, seen := v.zones[s]
	if !seen {
		_, err := time.LoadLocation(s)
		known = err == nil && s != "" && s != "Local"
		v.zones[strings.Clone(s)] = known
	}
	if known {
		return s, nil
	}
	return s, &problem{codeBadTimezone, "time zone " + quote(s) + " is not in the IANA database", "write area and city, such as Europe/Paris"}
}

func (*values) visibility(s string) (string, *problem) {
	return choice("visibility", s, "same_than_company", "public", "private", "closed", "isolated", "none")
}

func (*values) authenticationType(s string) (string, *problem) {
	return choice("authenticationType", s, "DEFAULT", "RAINBOW", "SAML", "OIDC")
}

func (*values) accountType(s string) (string, *problem) {
	return choice("accountType", s, "free", "basic", "advanced")
}

// boolean takes true and false, also in capitals as spreadsheets write them.
func (*values) boolean(s string) (string, *problem) {
	switch s {
	case "true", "TRUE", "True":
		return "true", nil
	case "false", "FALSE", "False":
		return "false", nil
	}
	return choice("isInitialized", s, "true", "false")
}

// choice takes one of the allowed values, spelled exactly.
func choice(what, s string, allowed ...string) (string, *problem) {
	for _, a := range allowed {
		if s == a {
			return s, nil
		}
	}
	p := &problem{codeBadChoice, what + " " + quote(s) + " is not one of the documented values", "write " + orList(allowed)}
	for _, a := range allowed {
		if strings.EqualFold(s, a) {
			p.hint = "write " + a
		}
	}
	return s, p
}

func (*values) url(s string) (string, *problem) {
	if strings.HasPrefix(s, "https://") || strings.HasPrefix(s, "http://") {
		return s, nil
	}
	return s, &problem{codeBadURL, quote(s) + " is not a web address", "write a full address that begins with https://"}
}

// checkPassword holds a password against Rainbow's rule (Rainbow CLI guide, mass provisioning: at least 8 characters, 1
// capital, 1 digit, 1 special). The message says what is missing and shows nothing of the password.
func checkPassword(s string) *problem {
	var capital, digit, special bool
	for _, r := range s {
		switch {
		case unicode.IsUpper(r):
			capital = true
		case unicode.IsDigit(r):
			digit = true
		case !unicode.IsLetter(r):
			special = true
		}
	}
	var missing []string
	if utf8.RuneCountInString(s) < 8 {
		missing = append(missing, "8 characters")
	}
	for _, m := range []struct {
		met  bool
		name string
	}{{capital, "a capital letter"}, {digit, "a digit"}, {special, "a special character"}} {
		if !m.met {
			missing = append(missing, m.name)
		}
	}
	if missing == nil {
		return nil
	}
	return &problem{codeBadPassword, "password does not have " + orList(missing),
		"a password has at least 8 characters, among them a capital letter, a digit and a special character"}
}
