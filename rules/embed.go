// Package rules holds the knowledge that ships inside the binaries: what is known of devices, and later the rules of the
// inspector. It has no code.
package rules

import _ "embed"

// OUI is the table of MAC prefixes and vendors, as device.LoadOUI reads it.
//
//go:generate go run ./devices/ouigen -from /usr/share/ieee-data -to devices/oui.tsv.gz
//go:embed devices/oui.tsv.gz
var OUI []byte
