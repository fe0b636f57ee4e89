package sandbox

import "strings"

// dialling is how a country writes its national numbers.
type dialling struct {
	code  string // E.164 country code
	trunk string // digit in front of a national number, "" when there is none
}

// dialPlan maps an ISO 3166-1 alpha-3 country to its dialling rules; the
// countries a small company meets, not the whole list of E.164.
func dialPlan(country string) (dialling, bool) {
	d, known := map[string]dialling{
		"AUT": {"43", "0"}, "BEL": {"32", "0"}, "CAN": {"1", ""}, "CHE": {"41", "0"}, "DEU": {"49", "0"},
		"ESP": {"34", ""}, "FRA": {"33", "0"}, "GBR": {"44", "0"}, "IRL": {"353", "0"}, "ITA": {"39", ""},
		"LUX": {"352", ""}, "NLD": {"31", "0"}, "PRT": {"351", ""}, "ROU": {"40", "0"}, "USA": {"1", ""},
	}[country]
	return d, known
}

// toE164 computes the E.164 form of a number as written in a country. It
// accepts +33..., 0033..., the national form, and the digits of an E.164
// number without its plus sign (the form of ddiE164Number in the Rainbow Node
// SDK's sample). ok is false when no such number can be made.
func toE164(number, country string) (e164 string, ok bool) {
	digits := strings.Map(func(r rune) rune {
		if strings.ContainsRune(" .-()/\t", r) {
			return -1
		}
		return r
	}, number)
	plus := strings.HasPrefix(digits, "+")
	digits = strings.TrimPrefix(digits, "+")
	if digits == "" || strings.Trim(digits, "0123456789") != "" {
		return "", false
	}
	d, known := dialPlan(country)
	switch {
	case plus:
	case strings.HasPrefix(digits, "00"):
		digits = digits[2:]
	case known && d.trunk != "" && strings.HasPrefix(digits, d.trunk):
		digits = d.code + digits[len(d.trunk):]
	case known && d.trunk == "" && (len(digits) <= 10 || !strings.HasPrefix(digits, d.code)):
		digits = d.code + digits
	case len(digits) < 10:
		return "", false
	}
	if len(digits) < 8 || len(digits) > 15 || digits[0] == '0' {
		return "", false
	}
	return "+" + digits, true
}

// toNational writes an E.164 number as the country dials it.
func toNational(e164, country string) string {
	d, known := dialPlan(country)
	if !known || !strings.HasPrefix(e164, "+"+d.code) {
		return e164
	}
	return d.trunk + e164[1+len(d.code):]
}

// normalMAC answers the twelve lower-case hexadecimal digits of a MAC address,
// which may be written with colons, hyphens, dots or nothing between.
func normalMAC(mac string) (string, bool) {
	mac = strings.ToLower(strings.NewReplacer(":", "", "-", "", ".", "").Replace(strings.TrimSpace(mac)))
	return mac, len(mac) == 12 && isHex(mac)
}

// normalIPEI answers the ten lower-case hexadecimal digits of a DECT handset's
// IPEI (the form of the guide's sample, 03807e7898).
func normalIPEI(ipei string) (string, bool) {
	ipei = strings.ToLower(strings.NewReplacer(":", "", "-", "", " ", "").Replace(ipei))
	return ipei, len(ipei) == 10 && isHex(ipei)
}

func isHex(s string) bool { return strings.Trim(s, "0123456789abcdef") == "" }
