package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"citygate/pkg/detect/offline/job"
)

const (
	// defaultMemory is what an inspector may have: et-open's 15,000 rules need a seventh of it.
	defaultMemory = 1 << 30
	// minMemory lets the Go runtime start: what it maps and does not use counts.
	minMemory = 96 << 20
	// maxRefusals is how many refused rules are told; all are counted.
	maxRefusals = 100000
	// fewRefusals are shown without --verbose.
	fewRefusals = 5
)

// inputs are the rules of a command, and what belongs to them.
type inputs struct {
	rules                         []string
	sets                          []string
	disable, enable, drop, modify string
	memory                        memory
	verbose                       bool
}

// flags adds the flags that all commands with rules have.
func (i *inputs) flags(c *cobra.Command) {
	f := c.Flags()
	i.memory = defaultMemory
	f.StringArrayVar(&i.sets, "set", nil, "a setting by Suricata's name, `KEY=VALUE`; repeatable (citygate replay --list-settings)")
	f.StringVar(&i.disable, "disable-conf", "", "suricata-update's disable.conf: a `FILE` that says which rules are off")
	f.StringVar(&i.enable, "enable-conf", "", "enable.conf: a `FILE` that says which rules that are commented out are on")
	f.StringVar(&i.drop, "drop-conf", "", "drop.conf: a `FILE` that says which alert rules drop")
	f.StringVar(&i.modify, "modify-conf", "", "modify.conf: a `FILE` with changes to the text of rules")
	f.Var(&i.memory, "memory", "what the engine may use, such as 512MiB")
	f.BoolVarP(&i.verbose, "verbose", "v", false, "name every refused rule")
}

// memory is a size as people write it.
type memory uint64

func (m *memory) String() string { return fmt.Sprintf("%dMiB", *m>>20) }

// Type is what pflag's help calls it.
func (m *memory) Type() string { return "SIZE" }

// Set reads 512MiB or 2GiB.
func (m *memory) Set(text string) error {
	var n uint64
	var unit string
	_, _ = fmt.Sscanf(strings.ToLower(text), "%d%s", &n, &unit) // what is missing is no unit
	shift, ok := map[string]int{"mib": 20, "mb": 20, "m": 20, "gib": 30, "gb": 30, "g": 30}[unit]
	if n = min(n, 1<<20) << shift; !ok || n < minMemory {
		return fmt.Errorf("a size is 512MiB or 2GiB, and at least %dMiB", minMemory>>20)
	}
	*m = memory(n)
	return nil
}

// opened are the files of a job, in its order.
type opened struct{ open []*os.File }

func (o *opened) add(j *job.Job, f *os.File, name string, kind job.Kind) {
	j.Files = append(j.Files, job.File{Name: name, Kind: kind})
	o.open = append(o.open, f)
}

func (o *opened) close() {
	for _, f := range o.open {
		_ = f.Close() // they were read
	}
}

// fileKeys are the settings whose value is a file; the inspector gets it open.
var fileKeys = map[string]job.Kind{
	"threshold-file": job.Threshold, "classification-file": job.Classification, "reference-config-file": job.References,
}

// open opens the files that a job needs and puts settings into it. What has been opened is given with an error too.
func (i *inputs) open(j *job.Job) (*opened, error) {
	o := new(opened)
	j.Memory = uint64(i.memory)
	files := map[job.Kind]string{job.Disable: i.disable, job.Enable: i.enable, job.Drop: i.drop, job.Modify: i.modify}
	for _, set := range i.sets {
		key, value, _ := strings.Cut(set, "=")
		if kind, ok := fileKeys[strings.TrimSpace(key)]; ok {
			files[kind] = strings.TrimSpace(value)
			continue
		}
		j.Set = append(j.Set, set)
	}
	for _, kind := range []job.Kind{job.Threshold, job.Classification, job.References, job.Disable, job.Enable, job.Drop, job.Modify} {
		if name := files[kind]; name != "" {
			if err := o.openOne(j, name, kind); err != nil {
				return o, fmt.Errorf("%s: %w", kind, err)
			}
		}
	}
	return o, o.openRules(j, i.rules)
}

func (o *opened) openOne(j *job.Job, name string, kind job.Kind) error {
	if len(o.open) >= job.MaxFiles-1 {
		return fmt.Errorf("%s is file %d; at most %d are read at once: put rules into fewer files", name, job.MaxFiles, job.MaxFiles-1)
	}
	f, err := openInput(name)
	if err == nil {
		o.add(j, f, name, kind)
	}
	return err
}

// openRules opens the files that some names mean, or the rules that ship.
func (o *opened) openRules(j *job.Job, names []string) error {
	if len(names) == 0 {
		return o.openShipped(j)
	}
	for _, name := range names {
		files, err := ruleFiles(name)
		if err != nil {
			return err
		}
		for _, f := range files {
			if err := o.openOne(j, f, job.Rules); err != nil {
				return err
			}
		}
	}
	return nil
}

// ruleFiles are the files that a name means: a file, the *.rules of a folder, or what a pattern finds.
func ruleFiles(name string) ([]string, error) {
	info, err := os.Stat(name)
	pattern := name
	switch {
	case err == nil && !info.IsDir():
		return []string{name}, nil
	case err == nil:
		pattern = filepath.Join(name, "*.rules")
	case !errors.Is(err, fs.ErrNotExist) || !strings.ContainsAny(name, "*?["):
		return nil, fmt.Errorf("read rules: %w", err)
	}
	files, err := filepath.Glob(pattern)
	if err == nil && len(files) == 0 {
		err = errors.New("it finds no file")
	}
	if err != nil {
		return nil, fmt.Errorf("read rules: %s: %w", pattern, err)
	}
	slices.Sort(files)
	return files, nil
}

// openInput opens a file to read, without looking into it.
func openInput(name string) (*os.File, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && info.IsDir() {
		err = fmt.Errorf("%s is a folder", name)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// do lets the inspector do a job. Its complaint is the error.
func (a *App) do(ctx context.Context, j *job.Job, in io.Reader, files []*os.File) (*job.Answer, error) {
	if j.Memory == 0 {
		j.Memory = defaultMemory
	}
	answer, err := a.Inspect(ctx, j, in, files)
	if err == nil && answer.Error != "" {
		err = errors.New(harmless(answer.Error))
	}
	if err != nil {
		return nil, err
	}
	return answer, nil
}

// printRefusals says on stderr which rules are not evaluated.
func (a *App) printRefusals(l job.Load, all bool) {
	if l.Refused == 0 {
		return
	}
	fmt.Fprintf(a.Err, "%s loaded, %d refused:\n", plural(l.Loaded, "rule"), l.Refused)
	shown := l.Refusals
	if !all {
		shown = shown[:min(fewRefusals, len(shown))]
	}
	for _, r := range shown {
		fmt.Fprintln(a.Err, " ", refusalText(r))
	}
	if rest := l.Refused - len(shown); rest > 0 {
		fmt.Fprintf(a.Err, "  and %d more: --verbose names them, citygate rules check groups them\n", rest)
	}
}

func refusalText(r job.Refusal) string {
	return harmless(fmt.Sprintf("%s:%d: sid %d: %s: %s", r.File, r.Line, r.SID, r.Keyword, r.Reason))
}

// terminal says whether a file is one.
func terminal(f *os.File) bool {
	_, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	return err == nil
}
