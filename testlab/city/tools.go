package city

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"time"

	"citygate/pkg/flow"
	"citygate/testlab/attacker"
	"citygate/testlab/camera"
	"citygate/testlab/receiver"
	"citygate/testlab/stream"
	"citygate/testlab/topology"
)

// ErrNoTool says that a program is not installed on this machine.
var ErrNoTool = errors.New("not installed")

func installed(tool string) error {
	if _, err := exec.LookPath(tool); err != nil {
		return fmt.Errorf("%s: %w", tool, ErrNoTool)
	}
	return nil
}

// scanned are the ports that a scan tries: those of cameras, of video servers, and of what botnets look for.
const scanned = "21-23,80,443,554,2323,3306,8000,8080,8443,9530,37777"

var openPort = regexp.MustCompile(`(\d+)/open/tcp`)

// Nmap scans a host by TCP connections, and gives the open ports.
func (c *City) Nmap(ctx context.Context, from, target string) ([]int, error) {
	if err := installed("nmap"); err != nil {
		return nil, err
	}
	out, err := c.Run(ctx, from, "nmap", "-n", "-Pn", "-sT", "-T4", "--max-retries", "1", "--host-timeout", "20s",
		"-p", scanned, "-oG", "-", topology.Find(target).Addr4().String())
	if err != nil {
		return nil, err
	}
	if out.Code != 0 {
		return nil, fmt.Errorf("nmap: exit code %d: %s", out.Code, out.Stderr)
	}
	var open []int
	for _, m := range openPort.FindAllStringSubmatch(out.Stdout, -1) {
		port, err := strconv.Atoi(m[1])
		if err != nil {
			return nil, fmt.Errorf("read nmap's answer: %w", err)
		}
		open = append(open, port)
	}
	return open, nil
}

// ARPSpoof lets dsniff's arpspoof tell target for a while that the address of victim is the attacker's, and gives the
// hardware address that target then believes.
func (c *City) ARPSpoof(ctx context.Context, from, target, victim string, length time.Duration) (flow.MAC, error) {
	if err := installed("arpspoof"); err != nil {
		return flow.MAC{}, err
	}
	limited, cancel := context.WithTimeout(ctx, length)
	defer cancel()
	address := topology.Find(victim).Addr4().String()
	_, err := c.Run(limited, from, "arpspoof", "-i", "eth0", "-t", topology.Find(target).Addr4().String(), address)
	if err != nil && limited.Err() == nil {
		return flow.MAC{}, err
	}
	out, err := c.Run(ctx, target, "ip", "neigh", "show", address)
	if err != nil {
		return flow.MAC{}, err
	}
	_, rest, _ := strings.Cut(out.Stdout, "lladdr ")
	words := strings.Fields(rest)
	if len(words) == 0 {
		return flow.MAC{}, fmt.Errorf("%s does not know %s: %q", target, address, out.Stdout)
	}
	return flow.ParseMAC(words[0])
}

// RogueResult is what a rogue DHCP server reached.
type RogueResult struct {
	Offers  int          `json:"offers"`  // unasked ones
	Crossed int          `json:"crossed"` // its messages behind the gateway
	Lease   camera.Lease `json:"lease"`   // of hall-1, which asked meanwhile; only when the rogue is on the server side
}

// RogueDHCP runs a DHCP server on a side's attacker for a while. On the server side it also answers hall-1, which asks
// for a lease meanwhile; on the camera side it does not, since their switch would carry that.
func (c *City) RogueDHCP(ctx context.Context, side flow.Side, length time.Duration) (RogueResult, error) {
	from := "attacker-cam"
	if side == flow.ServerSide {
		from = "attacker-srv"
	}
	_, far := switches(side)
	crossed := func() (int, error) {
		var counts receiver.Counts
		err := c.Call(ctx, far, "Counts", struct{}{}, &counts)
		return counts.DHCP[topology.Find(from).MAC.String()], err
	}
	before, err := crossed()
	if err != nil {
		return RogueResult{}, err
	}
	served := make(chan error, 1)
	var done attacker.Done
	go func() {
		served <- c.Call(ctx, from, "ServeDHCP", attacker.Rogue{For: length, Answer: side == flow.ServerSide}, &done)
	}()
	var r RogueResult
	if side == flow.ServerSide {
		err = c.Call(ctx, "hall-1", "Renew", struct{}{}, &r.Lease)
	}
	if err := errors.Join(err, <-served); err != nil {
		return r, err
	}
	after, err := crossed()
	r.Offers, r.Crossed = done.Frames, after-before
	return r, err
}

// Tools are the attacks with real tools, by name.
func Tools() []string { return []string{"nmap", "arpspoof", "rogue-dhcp"} }

// ToolResult is what a real tool reached.
type ToolResult struct {
	Tool string    `json:"tool"`
	Side flow.Side `json:"side"`
	Saw  string    `json:"saw"`
	Harm bool      `json:"harm"` // it got something through
}

const toolTime = 4 * time.Second

// Tool attacks the other side with a real tool.
func (c *City) Tool(ctx context.Context, name string, side flow.Side) (ToolResult, error) {
	from, target, victim := "attacker-cam", topology.Main, "gate-1"
	if side == flow.ServerSide {
		from, target, victim = "attacker-srv", "gate-1", topology.Main
	}
	r := ToolResult{Tool: name, Side: side}
	switch name {
	case "nmap":
		open, err := c.Nmap(ctx, from, target)
		r.Saw, r.Harm = fmt.Sprintf("open ports of %s: %v", target, open), len(open) > 0
		return r, err
	case "arpspoof":
		believed, err := c.ARPSpoof(ctx, from, target, victim, toolTime)
		r.Saw, r.Harm = fmt.Sprintf("%s believes that %s is %v", target, victim, believed), believed != topology.Find(victim).MAC
		return r, err
	case "rogue-dhcp":
		got, err := c.RogueDHCP(ctx, side, toolTime)
		lied := got.Lease.Server.IsValid() && got.Lease.Server != topology.Find(topology.Main).Addr4()
		r.Saw, r.Harm = fmt.Sprintf("%d of its messages crossed, %d unasked offers were sent", got.Crossed, got.Offers), got.Crossed > 0 || lied
		return r, err
	}
	return r, fmt.Errorf("tool %q is none of %s", name, strings.Join(Tools(), ", "))
}

var (
	framesDecoded = regexp.MustCompile(`(?m)^frame=(\d+)`)
	packetsMissed = regexp.MustCompile(`RTP: missed (\d+) packets`)
)

// Played is what ffmpeg made of a stream.
type Played struct {
	Frames int    `json:"frames"`
	Missed int    `json:"missed"` // RTP packets
	Said   string `json:"said,omitempty"`
}

// FFmpeg lets Debian's ffmpeg play a camera's stream on a host for some seconds of video.
func (c *City) FFmpeg(ctx context.Context, on, cam string, t stream.Transport, seconds int) (Played, error) {
	if err := installed("ffmpeg"); err != nil {
		return Played{}, err
	}
	url := "rtsp://" + camera.User + ":" + camera.Password + "@" + topology.Find(cam).Addr4().String() + camera.StreamPath
	out, err := c.Run(ctx, on, "ffmpeg", "-nostdin", "-loglevel", "warning", "-progress", "-", "-rtsp_transport", string(t),
		"-buffer_size", "8000000", "-analyzeduration", "500000", "-i", url, "-t", strconv.Itoa(seconds), "-f", "null", "-")
	if err != nil {
		return Played{}, err
	}
	p := Played{Said: strings.TrimSpace(out.Stderr)}
	for _, m := range framesDecoded.FindAllStringSubmatch(out.Stdout, -1) {
		if n, err := strconv.Atoi(m[1]); err == nil {
			p.Frames = n // the last one stands
		}
	}
	for _, m := range packetsMissed.FindAllStringSubmatch(out.Stderr, -1) {
		if n, err := strconv.Atoi(m[1]); err == nil {
			p.Missed += n
		}
	}
	if out.Code != 0 {
		return p, fmt.Errorf("ffmpeg: exit code %d: %s", out.Code, p.Said)
	}
	return p, nil
}
