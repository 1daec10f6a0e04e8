package sandbox

import (
	"path/filepath"

	"citygate/pkg/ipc"
)

// Journal may write its two folders.
func Journal(b *ipc.Boot) Profile {
	return Profile{
		Name:      "journal",
		Write:     []string{JournalDir(b), b.LogDir},
		Calls:     join(fileCalls, writeCalls),
		Isolated:  true,
		OpenFiles: 64,
		Exceptions: map[string]string{
			"write_pkt": "it writes files; it is given no packet socket",
		},
	}
}

// JournalDir is the journal's state folder.
func JournalDir(b *ipc.Boot) string { return filepath.Join(b.StateDir, "journal") }
