// Package manifest reads and writes manifests: files that say what the users of a company shall have. It reads
// Rainbow's CSV in its four modes (mass provisioning guide, "Import CSV data" and "synchronize with CSV data"; Rainbow
// Node SDK, importRainbowVoiceUsersWithCSVdata), and YAML for whole companies, into the engine's desired model.
//
// [Read] turns one or more files into a Desired with its [Secrets], or into all their faults at once, each with
// file:line:column, a stable code and what would be right. [Export] writes recorded state as a manifest that asks for
// nothing when it is read back. [Annotate] writes a manifest back with what became of each row, and [WriteSARIF] faults
// for editors and code hosts.
//
// The keys of YAML manifests are tables too (yamlform.go), from which the reader works, and of which [Schema] and the
// reference in docs/manifests.md are made.
//
// An action is an entry of a table (modes.go), a column is another (columns.go); the tokenizer (tokenizer.go) knows
// neither. Nothing here speaks with upstream or looks at recorded state, except Export. Functions may be called
// concurrently; values are not shared between calls.
package manifest
