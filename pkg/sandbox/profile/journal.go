package profile

import (
	"slices"

	"citygate/pkg/ipc"
	"citygate/pkg/sandbox"
)

// Journal may write its two folders.
func Journal(b *ipc.Boot) sandbox.Profile {
	return sandbox.Profile{
		Name:      "journal",
		Write:     []string{b.StateOf(ipc.Journal), b.LogDir},
		Calls:     slices.Concat(sandbox.FileCalls, sandbox.WriteCalls),
		Isolated:  true,
		OpenFiles: 64,
		Exceptions: map[string]string{
			"write_pkt": "it writes files; it is given no packet socket",
		},
	}
}
