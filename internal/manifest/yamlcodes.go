package manifest

// The codes of faults that only YAML manifests have, stable and documented in docs/errors.md (a test compares the two).
// Values that CSV has too share its codes.
const (
	codeYAMLSyntax       = "yaml-syntax"
	codeYAMLLimit        = "yaml-limit"
	codeYAMLTag          = "yaml-tag"
	codeMixedForms       = "mixed-forms"
	codeWrongShape       = "wrong-shape"
	codeUnknownKey       = "unknown-key"
	codeKeyTwice         = "duplicate-key"
	codeMissingKey       = "missing-key"
	codeBadVersion       = "unsupported-version"
	codeSeveralCompanies = "several-companies"
	codeBadWhole         = "bad-whole-number"
	codeBadVariable      = "bad-variable"
	codeUnknownVariable  = "unknown-variable"
	codeUnknownTemplate  = "unknown-template"
	codeNameTwice        = "duplicate-name"
	codeBadInclude       = "bad-include"
	codeSecretMissing    = "secret-unavailable"
	codeBadRange         = "bad-range"
	codeBadPolicy        = "bad-policy"
	codeUnknownPool      = "unknown-pool"
	codeBadKey           = "bad-key"
	codeAbsentWith       = "absent-with-values"

	// Remarks.
	codeSecretByValue  = "secret-in-manifest"
	codeUnquoted       = "unquoted-value"
	codeMixedAlphabets = "mixed-alphabets"
)

// yamlCodes are these codes (a test compares).
var yamlCodes = []string{
	codeYAMLSyntax,
	codeYAMLLimit,
	codeYAMLTag,
	codeMixedForms,
	codeWrongShape,
	codeUnknownKey,
	codeKeyTwice,
	codeMissingKey,
	codeBadVersion,
	codeSeveralCompanies,
	codeBadWhole,
	codeBadVariable,
	codeUnknownVariable,
	codeUnknownTemplate,
	codeNameTwice,
	codeBadInclude,
	codeSecretMissing,
	codeBadRange,
	codeBadPolicy,
	codeUnknownPool,
	codeBadKey,
	codeAbsentWith,
	codeSecretByValue,
	codeUnquoted,
	codeMixedAlphabets,
}
