// Package rules holds the knowledge that ships inside the binaries: what is known of devices, and the rules of the
// inspector. It has no code.
package rules

import "embed"

// OUI is the table of MAC prefixes and vendors, as device.LoadOUI reads it.
//
//go:generate go run ./devices/ouigen -from /usr/share/ieee-data -to devices/oui.tsv.gz
//go:embed devices/oui.tsv.gz
var OUI []byte

// Inspection are the rules of the inspector by subject, in files *.rules. Their sids are 9300000 to 9309999.
//
//go:generate go test . -run TestRules -update
//go:embed *.rules
var Inspection embed.FS
