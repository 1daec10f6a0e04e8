package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"syscall"

	"golang.org/x/sys/unix"

	"citygate/pkg/flow"
	"citygate/pkg/packet"
	"citygate/testlab/traffic"
)

// recordVar names the capture in the copy of this program that records it, in a network namespace of its own.
const recordVar = "CITYGATE_INSPECTBENCH_RECORD"

// leastSize is what a capture has to have.
const leastSize = 100e6

// record makes the capture, unless an earlier run has left it.
func record(ctx context.Context, path string, progress io.Writer) error {
	if _, err := os.Stat(path); err == nil {
		return nil
	}
	fmt.Fprintln(progress, "recording", path)
	cmd := exec.CommandContext(ctx, "/proc/self/exe")
	cmd.Env = append(os.Environ(), recordVar+"="+path+".part")
	cmd.Stdout, cmd.Stderr = progress, progress
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNET, Pdeathsig: unix.SIGKILL}
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("record the traffic: %w", err)
	}
	return os.Rename(path+".part", path)
}

func recordMain(path string) int {
	ctx, stop := signal.NotifyContext(context.Background(), unix.SIGINT, unix.SIGTERM)
	defer stop()
	if err := traffic.Record(ctx, path); err != nil {
		fmt.Fprintln(os.Stderr, "record:", err)
		return 1
	}
	return 0
}

// share is a kind of traffic's part of a capture.
type share struct {
	Packets int     `json:"packets"`
	Bytes   int     `json:"bytes"`
	Percent float64 `json:"percent"` // of the bytes
}

// contents is what is in a capture.
type contents struct {
	Packets int              `json:"packets"`
	Bytes   int              `json:"bytes"` // of frames
	Seconds float64          `json:"seconds"`
	Video   float64          `json:"video_percent"`
	Mix     map[string]share `json:"mix"`
}

// look reads a capture, and writes its first packet as a capture of its own.
func look(path, first string) (contents, error) {
	f, err := os.Open(path)
	if err != nil {
		return contents{}, err
	}
	defer f.Close()
	c := contents{Mix: map[string]share{}}
	in, err := packet.OpenCapture(f)
	if err != nil {
		return c, err
	}
	d := packet.NewDecoder()
	var begin, end float64
	for {
		r, err := in.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return c, fmt.Errorf("read %s: %w", path, err)
		}
		end = float64(r.Time.UnixNano()) / 1e9
		if c.Packets++; c.Packets == 1 {
			begin = end
			if err := firstOnly(path, first, len(r.Data)); err != nil {
				return c, err
			}
		}
		c.Bytes += r.Length
		h, err := d.DecodeLink(r.Link, r.Data, r.Length)
		kind := "other"
		if err == nil {
			kind = kindOf(h.Tuple)
		}
		s := c.Mix[kind]
		s.Packets++
		s.Bytes += r.Length
		c.Mix[kind] = s
	}
	c.Seconds = rounded(end - begin)
	for kind, s := range c.Mix {
		s.Percent = rounded(100 * float64(s.Bytes) / float64(c.Bytes))
		c.Mix[kind] = s
	}
	c.Video = rounded(c.Mix["video over UDP"].Percent + c.Mix["video over TCP"].Percent)
	return c, nil
}

// firstOnly copies the file's head and its first record.
func firstOnly(path, first string, size int) error {
	const head, record = 24, 16
	b := make([]byte, head+record+size)
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := io.ReadFull(f, b); err != nil {
		return err
	}
	return os.WriteFile(first, b, 0o644)
}

// kindOf names traffic by the ports that the recording uses.
func kindOf(t flow.FiveTuple) string {
	low := min(t.SrcPort, t.DstPort)
	switch {
	case low == 554:
		return "video over TCP"
	case t.Proto == flow.UDP && (t.SrcPort == 8000 || t.DstPort == 8000 || t.SrcPort == 8001 || t.DstPort == 8001):
		return "video over UDP"
	case low == 80 || low == 8080:
		return "http"
	case low == 443:
		return "tls"
	case low == 53:
		return "dns"
	case low == 502:
		return "modbus"
	case low == 25:
		return "smtp"
	case low == 23:
		return "telnet"
	case low == 21:
		return "ftp"
	}
	return "other"
}
