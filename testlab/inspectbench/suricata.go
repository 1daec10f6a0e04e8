package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

// peer is Suricata in a tree of Debian trixie.
type peer struct {
	tree    string // the root folder of Debian
	work    string // is /mnt inside
	version string
}

// newPeer unpacks Debian with Suricata into a folder of its own, which close removes. The archive in work is fetched
// unless an earlier run has left it: an archive, since tools that walk our tree have no business in another's.
func newPeer(ctx context.Context, work string, progress io.Writer) (p *peer, err error) {
	archive := filepath.Join(work, "suricata-trixie.tar")
	if _, err := os.Stat(archive); err != nil {
		fmt.Fprintln(progress, "fetching Suricata from Debian trixie into", archive)
		part := filepath.Join(work, "part.tar") // mmdebstrap goes by the suffix
		cmd := exec.CommandContext(ctx, "mmdebstrap", "--variant=minbase", "--include=suricata", "trixie", part)
		if out, err := cmd.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("make a tree of Debian trixie: %w: %s", err, lastLines(string(out)))
		}
		if err := os.Rename(part, archive); err != nil {
			return nil, err
		}
	}
	tree, err := os.MkdirTemp("", "citygate-trixie-")
	if err != nil {
		return nil, err
	}
	p = &peer{tree: tree, work: work}
	if err := p.unpack(ctx, archive); err != nil {
		return nil, errors.Join(err, p.close())
	}
	return p, nil
}

// close removes the folder.
func (p *peer) close() error { return os.RemoveAll(p.tree) }

func (p *peer) unpack(ctx context.Context, archive string) error {
	if out, err := exec.CommandContext(ctx, "tar", "-xf", archive, "-C", p.tree, "--exclude=./dev/*").CombinedOutput(); err != nil {
		return fmt.Errorf("unpack %s: %w: %s", archive, err, lastLines(string(out)))
	}
	out, err := exec.CommandContext(ctx, "chroot", p.tree, "suricata", "-V").Output()
	if err != nil {
		return fmt.Errorf("ask Suricata for its version: %w", err)
	}
	found := regexp.MustCompile(`version (\S+)`).FindSubmatch(out)
	if found == nil {
		return fmt.Errorf("the version that Suricata names is not in %q", out)
	}
	p.version = string(found[1])
	return p.configure()
}

const configName = "suricata.yaml"

// What its default configuration writes is cut to what ours writes: alerts.
const alertsOnly = `outputs:
  - eve-log:
      enabled: yes
      filetype: regular
      filename: eve.json
      community-id: true
      types:
        - alert
`

// configure writes Debian's configuration with other outputs.
func (p *peer) configure() error {
	b, err := os.ReadFile(filepath.Join(p.tree, "etc/suricata", configName))
	if err != nil {
		return err
	}
	text, err := withSection(string(b), "outputs", alertsOnly)
	if err != nil {
		return err
	}
	if text, err = withSection(text, "stats", "stats:\n  enabled: no\n"); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(p.work, configName), []byte(text), 0o644)
}

// withSection puts another text in the place of a top-level section of a YAML file.
func withSection(text, name, section string) (string, error) {
	lines := strings.SplitAfter(text, "\n")
	from := -1
	for i, l := range lines {
		switch {
		case strings.HasPrefix(l, name+":"):
			from = i
		case from >= 0 && strings.Trim(l, "\n") != "" && !strings.ContainsRune(" #", rune(l[0])):
			return strings.Join(lines[:from], "") + section + strings.Join(lines[i:], ""), nil
		}
	}
	return "", errors.New("Suricata's configuration has no section " + name)
}

// engine is the peer with a matcher, hs or ac.
func (p *peer) engine(matcher string) engine {
	single := "bm"
	if matcher == "hs" {
		single = "hs"
	}
	return engine{name: "Suricata, " + matcher, begins: "Engine started", command: func(capture, rules, dir string) []string {
		inside := func(path string) string { return "/mnt/" + strings.TrimPrefix(path, p.work+"/") }
		args := []string{
			"suricata", "-c", "/mnt/" + configName, "-r", inside(capture), "-l", inside(dir), "-k", "none", "--runmode", "single",
			"--set", "mpm-algo=" + matcher, "--set", "spm-algo=" + single, "-S", inside(rules),
		}
		// One process from here on: its CPU time is the engine's.
		const enter = `mount --bind "$1" "$2/mnt" && mount --bind /dev "$2/dev" && mount -t proc proc "$2/proc" && shift && exec chroot "$@"`
		return append([]string{"unshare", "-m", "sh", "-c", enter, "sh", p.work, p.tree}, append(args, variables...)...)
	}}
}
