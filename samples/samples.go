// Package samples holds the sample manifests, which all plan and apply against the sandbox, and the generator of the
// largest, [Company]. README.md beside it says what each shows. Only tests and samples/gen import it.
package samples

import "embed"

// Files are the sample manifests.
//
//go:embed *.csv *.yaml site/*.yaml
var Files embed.FS
