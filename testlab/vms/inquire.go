package vms

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"sort"
	"strings"
	"time"

	"citygate/testlab/topology"
)

// askTime bounds each question to a camera.
const askTime = 3 * time.Second

// Inquiry is what a camera says about itself over HTTP.
type Inquiry struct {
	Page      string `json:"page"` // of its web server
	Model     string `json:"model"`
	StreamURI string `json:"stream_uri"`
}

// Inquire reads a camera's web page and asks its ONVIF services.
func (v *VMS) Inquire(name string, out *Inquiry) error {
	base := "http://" + topology.Find(name).Addr4().String()
	client := &http.Client{Timeout: askTime, Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := client.Get(base + "/")
	if err != nil {
		return fmt.Errorf("read the page of %s: %w", name, err)
	}
	page, err := io.ReadAll(io.LimitReader(res.Body, 1<<16))
	res.Body.Close()
	if err != nil {
		return fmt.Errorf("read the page of %s: %w", name, err)
	}
	out.Page = string(page)
	if out.Model, err = operation(client, base, "GetDeviceInformation", "Model"); err != nil {
		return err
	}
	out.StreamURI, err = operation(client, base, "GetStreamUri", "Uri")
	return err
}

// operation asks an ONVIF service and gives the text of one element of the answer.
func operation(client *http.Client, base, name, element string) (string, error) {
	body := `<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body><` + name + `/></s:Body></s:Envelope>`
	res, err := client.Post(base+"/onvif/device_service", "application/soap+xml", strings.NewReader(body))
	if err != nil {
		return "", fmt.Errorf("ask for %s: %w", name, err)
	}
	defer res.Body.Close()
	text, err := elementText(io.LimitReader(res.Body, 1<<16), element)
	if err != nil {
		return "", fmt.Errorf("ask for %s: %w", name, err)
	}
	return text, nil
}

func elementText(r io.Reader, element string) (string, error) {
	d := xml.NewDecoder(r)
	for {
		t, err := d.Token()
		if err != nil {
			return "", fmt.Errorf("no %s: %w", element, err)
		}
		if start, ok := t.(xml.StartElement); ok && start.Name.Local == element {
			var text string
			err := d.DecodeElement(&text, &start)
			return text, err
		}
	}
}

const probe = `<?xml version="1.0" encoding="UTF-8"?>
<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing"
 xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery" xmlns:dn="http://www.onvif.org/ver10/network/wsdl"><s:Header>
<a:MessageID>urn:uuid:6d61696e-0000-4000-8000-000000000001</a:MessageID>
<a:To>urn:schemas-xmlsoap-org:ws:2005:04:discovery</a:To>
<a:Action>http://schemas.xmlsoap.org/ws/2005/04/discovery/Probe</a:Action></s:Header>
<s:Body><d:Probe><d:Types>dn:NetworkVideoTransmitter</d:Types></d:Probe></s:Body></s:Envelope>
`

// Discover searches cameras by WS-Discovery for a second, and gives the addresses that answered, in order.
func (v *VMS) Discover(_ struct{}, out *[]netip.Addr) error {
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: v.host.Addr4().AsSlice()})
	if err != nil {
		return fmt.Errorf("open a discovery socket: %w", err)
	}
	defer conn.Close()
	group := &net.UDPAddr{IP: net.IPv4(239, 255, 255, 250), Port: 3702}
	if _, err := conn.WriteToUDP([]byte(probe), group); err != nil {
		return fmt.Errorf("send a probe: %w", err)
	}
	if err := conn.SetReadDeadline(time.Now().Add(time.Second)); err != nil {
		return err
	}
	buf := make([]byte, 8192)
	for {
		_, from, err := conn.ReadFromUDPAddrPort(buf)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			sort.Slice(*out, func(i, j int) bool { return (*out)[i].Less((*out)[j]) })
			return nil
		}
		if err != nil {
			return fmt.Errorf("wait for answers: %w", err)
		}
		*out = append(*out, from.Addr())
	}
}

// Point tells the server where a camera is now.
func (v *VMS) Point(at Place, _ *struct{}) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.places[at.Camera] = at.Addr
	return nil
}

// Place is where a camera is.
type Place struct {
	Camera string     `json:"camera"`
	Addr   netip.Addr `json:"addr"`
}

// place is the address of a pull's camera.
func (v *VMS) place(p Pull) netip.Addr {
	v.mu.Lock()
	defer v.mu.Unlock()
	if a, ok := v.places[p.Camera]; ok && !p.IPv6 {
		return a
	}
	if p.IPv6 {
		return topology.Find(p.Camera).Addr6()
	}
	return topology.Find(p.Camera).Addr4()
}
