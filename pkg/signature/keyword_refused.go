package signature

import (
	"errors"
	"strings"
)

// refused is a keyword that Suricata knows and this engine cannot evaluate: its rules are refused by its name, with what
// to do instead.
func refused(name, reason string) *Keyword {
	return &Keyword{
		Name: name, Where: Meta, Doc: refusedDoc + reason,
		Parse: func(*Builder, string) error { return errors.New(reason) },
	}
}

// refusedDoc begins the description of a keyword that is refused.
const refusedDoc = "refused: "

func (k *Keyword) refuses() bool { return strings.HasPrefix(k.Doc, "refused") }

const (
	noFiles = "files are not kept here: match their content with file.data and their name with file.name"
	noLua   = "there are no scripts here: write the rule with content, pcre, byte_test and flowint"
	noLists = "there are no lists of values or reputations here: write the values into rules, or addresses into a variable"
)

var (
	refusedLua        = refused("lua", noLua)
	refusedLuaxform   = refused("luaxform", noLua)
	refusedDataset    = refused("dataset", noLists)
	refusedDatarep    = refused("datarep", noLists)
	refusedIprep      = refused("iprep", noLists)
	refusedGeoip      = refused("geoip", "there is no table of countries here: write the addresses into a variable")
	refusedFilestore  = refused("filestore", noFiles)
	refusedFilemagic  = refused("filemagic", noFiles)
	refusedFilesize   = refused("filesize", noFiles)
	refusedFilemd5    = refused("filemd5", noFiles)
	refusedFilesha1   = refused("filesha1", noFiles)
	refusedFilesha256 = refused("filesha256", noFiles)
	refusedTLSStore   = refused("tls.store", "certificates are not kept here: the tls event has their fingerprint")
	refusedFrame      = refused("frame", "frames are not known here: use the protocol's sticky buffers")
	refusedState      = refused("app-layer-state", "states of transactions are not known here: use the protocol's sticky buffers")
	refusedMark       = refused("nfq_set_mark", "packets do not come from netfilter here: use the policy")
)
