package camera

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// Model and vendor of the lab's cameras: nobody's.
const (
	vendor = "Lab Optics"
	model  = "LO-720"
)

const soapLimit = 64 << 10

// envelope is the part of a SOAP 1.2 request that says which operation is asked for.
type envelope struct {
	Body struct {
		Operation struct {
			XMLName xml.Name
		} `xml:",any"`
	} `xml:"Body"`
}

// web serves the camera's page and its ONVIF device and media services (ONVIF Core and Media specifications).
func (c *Camera) web() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, "<!doctype html><title>%s %s</title><h1>%s</h1><p>%s</p>\n", vendor, model, c.host.Name, StreamPath)
	})
	mux.HandleFunc("POST /onvif/", c.soap)
	return mux
}

func (c *Camera) soap(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, req.Body, soapLimit))
	var e envelope
	if err == nil {
		err = xml.Unmarshal(body, &e)
	}
	answer, known := "", false
	if err == nil {
		answer, known = c.operation(e.Body.Operation.XMLName.Local, req)
	}
	w.Header().Set("Content-Type", "application/soap+xml; charset=utf-8")
	if !known {
		w.WriteHeader(http.StatusBadRequest)
		answer = `<s:Fault><s:Code><s:Value>s:Sender</s:Value></s:Code>` +
			`<s:Reason><s:Text xml:lang="en">this camera does not know the operation</s:Text></s:Reason></s:Fault>`
	}
	fmt.Fprintf(w, soapFrame, answer)
}

const soapFrame = `<?xml version="1.0" encoding="UTF-8"?>
<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:tds="http://www.onvif.org/ver10/device/wsdl"
 xmlns:trt="http://www.onvif.org/ver10/media/wsdl" xmlns:tt="http://www.onvif.org/ver10/schema"><s:Body>%s</s:Body></s:Envelope>
`

func (c *Camera) operation(name string, req *http.Request) (answer string, known bool) {
	switch name {
	case "GetDeviceInformation":
		return fmt.Sprintf(`<tds:GetDeviceInformationResponse><tds:Manufacturer>%s</tds:Manufacturer><tds:Model>%s</tds:Model>`+
			`<tds:FirmwareVersion>1.4.2</tds:FirmwareVersion><tds:SerialNumber>%X</tds:SerialNumber>`+
			`<tds:HardwareId>1</tds:HardwareId></tds:GetDeviceInformationResponse>`, vendor, model, c.host.MAC[3:]), true
	case "GetSystemDateAndTime":
		return dateAndTime(time.Now().UTC()), true
	case "GetProfiles":
		return `<trt:GetProfilesResponse><trt:Profiles token="main" fixed="true"><tt:Name>main</tt:Name>` +
			`</trt:Profiles></trt:GetProfilesResponse>`, true
	case "GetStreamUri":
		host, _, err := net.SplitHostPort(req.Host)
		if err != nil {
			host = req.Host
		}
		return fmt.Sprintf(`<trt:GetStreamUriResponse><trt:MediaUri><tt:Uri>rtsp://%s%s</tt:Uri>`+
			`<tt:InvalidAfterConnect>false</tt:InvalidAfterConnect><tt:InvalidAfterReboot>false</tt:InvalidAfterReboot>`+
			`<tt:Timeout>PT0S</tt:Timeout></trt:MediaUri></trt:GetStreamUriResponse>`, escape(host), StreamPath), true
	}
	return "", false
}

func dateAndTime(t time.Time) string {
	return fmt.Sprintf(`<tds:GetSystemDateAndTimeResponse><tds:SystemDateAndTime><tt:DateTimeType>NTP</tt:DateTimeType>`+
		`<tt:DaylightSavings>false</tt:DaylightSavings><tt:UTCDateTime>`+
		`<tt:Time><tt:Hour>%d</tt:Hour><tt:Minute>%d</tt:Minute><tt:Second>%d</tt:Second></tt:Time>`+
		`<tt:Date><tt:Year>%d</tt:Year><tt:Month>%d</tt:Month><tt:Day>%d</tt:Day></tt:Date>`+
		`</tt:UTCDateTime></tds:SystemDateAndTime></tds:GetSystemDateAndTimeResponse>`,
		t.Hour(), t.Minute(), t.Second(), t.Year(), t.Month(), t.Day())
}

func escape(s string) string {
	var b bytes.Buffer
	_ = xml.EscapeText(&b, []byte(s)) // a buffer takes everything
	return b.String()
}
