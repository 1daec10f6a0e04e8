//go:build lab

package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"citygate/pkg/flow"
	"citygate/pkg/sandbox/profile"
	"citygate/testlab/forge"
)

const rules = `alert http any any -> any any (msg:"log-in"; http.uri; content:"/login"; sid:1;)
alert tcp any any -> any any (nonsense; sid:2;)
`

// person is a user without rights.
const person = 47950

// place is a folder for everybody, with the programs as they ship, a capture and rules.
type place struct {
	t   *testing.T
	dir string
	uid uint32
}

func newPlace(t *testing.T) *place {
	t.Helper()
	if os.Getuid() != 0 {
		t.Fatal("the lab tests need root")
	}
	dir, err := os.MkdirTemp("", "inspect") // not t.TempDir: only root may enter that
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	build := exec.Command("go", "build", "-o", dir, "citygate/cmd/citygate", ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	p := &place{t: t, dir: dir}
	p.write("test.rules", []byte(rules))
	p.write("in.pcap", capture(t))
	for _, d := range []string{dir, dir + "/out"} {
		_ = os.Mkdir(d, 0o777)
		if err := os.Chmod(d, 0o777); err != nil {
			t.Fatal(err)
		}
	}
	return p
}

func (p *place) write(name string, data []byte) {
	p.t.Helper()
	if err := os.WriteFile(filepath.Join(p.dir, name), data, 0o644); err != nil {
		p.t.Fatal(err)
	}
}

func capture(t *testing.T) []byte {
	t.Helper()
	c := forge.New()
	k := c.Open(netip.MustParseAddrPort("10.0.0.2:40000"), netip.MustParseAddrPort("10.0.0.11:80"))
	k.Send(flow.ToServer, []byte("GET /login HTTP/1.1\r\nHost: camera\r\n\r\n"), 1)
	k.Close()
	var b bytes.Buffer
	if _, err := c.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func (p *place) command(words string) *exec.Cmd {
	cmd := exec.Command(p.dir+"/citygate", strings.Fields(words)...)
	cmd.Dir, cmd.Env = p.dir, []string{"PATH=/usr/bin:/bin"}
	if p.uid != 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: p.uid, Gid: p.uid}}
	}
	return cmd
}

// run gives the exit code and what was said.
func (p *place) run(words string) (code int, out, errs string) {
	p.t.Helper()
	var o, e bytes.Buffer
	cmd := p.command(words)
	cmd.Stdout, cmd.Stderr = &o, &e
	_ = cmd.Run()
	return cmd.ProcessState.ExitCode(), o.String(), e.String()
}

// Root's and a person's captures are inspected in the sandbox: the programs as they ship, on real files.
func TestReplay(t *testing.T) {
	p := newPlace(t)
	var first []byte
	for _, uid := range []uint32{0, person} {
		p.uid = uid
		code, out, errs := p.run("replay -r in.pcap -S test.rules -l out")
		if code != 0 || !strings.Contains(out, "1 alert in out/eve.json") || !strings.HasPrefix(errs, "1 rule loaded, 1 refused:\n  test.rules:2: sid 2: nonsense: ") {
			t.Fatalf("user %d: exit code %d, %s %s", uid, code, out, errs)
		}
		events, err := os.ReadFile(p.dir + "/out/eve.json")
		if err != nil || len(events) == 0 || first != nil && !bytes.Equal(events, first) {
			t.Errorf("user %d: %v, other events than before: %s", uid, err, events)
		}
		first = events
		if err := os.Remove(p.dir + "/out/eve.json"); err != nil {
			t.Fatal(err)
		}
		for words, want := range map[string]int{
			"rules check test.rules": 1, "rules check": 0, "rules check none.rules": 2, "rules show 1 -S test.rules": 0,
			"replay -r test.rules -l out": 2, "replay -r in.pcap -l out --set x=1": 2, "replay --list-settings": 0,
		} {
			if code, out, errs := p.run(words); code != want {
				t.Errorf("user %d: %s: exit code %d, want %d: %s %s", uid, words, code, want, out, errs)
			}
		}
	}
}

// While it reads, the inspector is what the reference says.
func TestLockedUp(t *testing.T) {
	p := newPlace(t)
	for _, uid := range []uint32{0, person} {
		p.uid = uid
		cmd := p.command("replay -r - -S test.rules -l out")
		secret, err := os.Open("/etc/passwd")
		if err != nil {
			t.Fatal(err)
		}
		cmd.ExtraFiles = []*os.File{secret} // that the caller left open
		in, err := cmd.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		// More than a pipe holds: when it is written, the inspector reads, and is locked up.
		one := capture(t)
		if _, err := in.Write(append(one[:24:24], bytes.Repeat(one[24:], 200)...)); err != nil {
			t.Fatal(err)
		}
		child := childOf(t, cmd.Process.Pid)
		status := statusOf(t, child)
		want := map[string]string{
			"Uid": fmt.Sprint(profile.InspectUID), "CapEff": "0000000000000000", "CapPrm": "0000000000000000", "NoNewPrivs": "1", "Seccomp": "2",
			"CapBnd": "0000000000000000",
		}
		if uid != 0 {
			want["Uid"] = fmt.Sprint(person)
			delete(want, "CapBnd") // nobody but root can empty it; no_new_privs makes it worth nothing
		}
		for key, value := range want {
			if status[key] != value {
				t.Errorf("user %d: %s is %s, want %s", uid, key, status[key], value)
			}
		}
		for _, ns := range []string{"net", "pid", "mnt", "ipc", "uts", "cgroup"} {
			ours, _ := os.Readlink("/proc/self/ns/" + ns)
			its, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/%s", child, ns))
			if err != nil || its == ours {
				t.Errorf("user %d: it is in our %s namespace, %v", uid, ns, err)
			}
		}
		if open := filesOf(t, child); len(open) > 0 {
			t.Errorf("user %d: it has %v", uid, open)
		}
		_ = in.Close()
		_ = cmd.Wait()
		_ = secret.Close()
	}
}

// childOf is the process that a process has started.
func childOf(t *testing.T, pid int) (child int) {
	t.Helper()
	tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	for _, name := range tasks {
		b, _ := os.ReadFile(name)
		if _, err := fmt.Sscan(string(b), &child); err == nil {
			return child
		}
	}
	t.Fatal("citygate started nothing")
	return 0
}

// statusOf gives the first word of each line of a process's status.
func statusOf(t *testing.T, pid int) map[string]string {
	t.Helper()
	f, err := os.Open(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return nil
	}
	defer f.Close()
	out := map[string]string{}
	for s := bufio.NewScanner(f); s.Scan(); {
		key, value, _ := strings.Cut(s.Text(), ":")
		if words := strings.Fields(value); len(words) > 0 {
			out[key] = words[0]
		}
	}
	return out
}

// filesOf are the open files of a process that are no pipe, nothing of the runtime's, and not what it was given.
func filesOf(t *testing.T, pid int) (out []string) {
	t.Helper()
	entries, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		to, _ := os.Readlink(fmt.Sprintf("/proc/%d/fd/%s", pid, e.Name()))
		switch {
		case strings.HasPrefix(to, "pipe:"), strings.HasPrefix(to, "anon_inode:"), strings.HasPrefix(to, "/sys/fs/cgroup/"), strings.HasSuffix(to, "/test.rules"), strings.Contains(to, "/out/.eve.json."):
		default:
			out = append(out, e.Name()+" "+to)
		}
	}
	return out
}

// 100 MB of rules: what is wrong is refused in bounded memory, and what needs too much ends with a message.
func TestLargeRules(t *testing.T) {
	p := newPlace(t)
	for _, c := range []struct {
		name, rule string
		code       int
		says       string
	}{
		{"refused.rules", "alert tcp any any -> any any (nonsense%d; sid:%[1]d;)\n", 1, " 0 loaded, "},
		{"loaded.rules", `alert tcp any any -> any any (msg:"rule %d of many"; content:"needle %[1]d"; sid:%[1]d;)` + "\n", 2, "citygate-inspect needs more than 512 MiB of memory"},
	} {
		f, err := os.Create(filepath.Join(p.dir, c.name))
		if err != nil {
			t.Fatal(err)
		}
		w := bufio.NewWriter(f)
		for n, size := 1, 0; size < 100_000_000; n++ {
			k, _ := fmt.Fprintf(w, c.rule, n)
			size += k
		}
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
		f.Close()
		cmd := p.command("rules check --memory 512MiB " + c.name)
		var out tail
		var errs bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &errs
		_ = cmd.Run()
		rss := cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss >> 10
		if code := cmd.ProcessState.ExitCode(); code != c.code || !strings.Contains(string(out.kept)+errs.String(), c.says) {
			t.Errorf("%s: exit code %d, %s %s", c.name, code, out.kept, &errs)
		}
		if rss > 512 {
			t.Errorf("%s: %d MiB", c.name, rss)
		}
		t.Logf("%s: %v, %d MiB", c.name, cmd.ProcessState.UserTime()+cmd.ProcessState.SystemTime(), rss)
	}
}

// tail keeps the last bytes of what is written.
type tail struct{ kept []byte }

func (b *tail) Write(p []byte) (int, error) {
	b.kept = append(b.kept, p...)
	b.kept = b.kept[max(0, len(b.kept)-4096):]
	return len(p), nil
}

// Without a job it says who starts it, and does nothing.
func TestWithoutJob(t *testing.T) {
	p := newPlace(t)
	out, err := exec.Command(p.dir + "/citygate-inspect").CombinedOutput()
	if err == nil || !strings.Contains(string(out), "this program is started by citygate replay and citygate rules") {
		t.Errorf("%v: %s", err, out)
	}
	cmd := exec.Command(p.dir + "/citygate-inspect")
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.WriteString(w, `{"Verb":"keys","Memory":1073741824}`)
	w.Close()
	cmd.ExtraFiles = []*os.File{r}
	out, err = cmd.CombinedOutput()
	if err == nil || !strings.Contains(string(out), "it runs as root") {
		t.Errorf("as root: %v: %s", err, out)
	}
}
