package traffic

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"math/rand/v2"
	"mime/multipart"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
)

// What is asked for in a recording.
const (
	visits        = 20 // pages of an office
	polls         = 14 // ONVIF requests to a camera
	snapshots     = 4  // of a camera
	pageSize      = 20 << 10
	assetSize     = 14 << 10
	snapshotSize  = 80 << 10
	firmwareSize  = 3 << 20
	uploadSize    = 600 << 10
	uploads       = 3
	contentLayers = 3 // a third of the pages is compressed, another chunked
)

// serveWeb opens web sites, and the web servers of cameras.
func serveWeb(ctx context.Context) error {
	for i := range siteCount {
		if err := listenHTTP(ctx, siteAddr(i), 80, site(dice(fmt.Sprint("site ", i)))); err != nil {
			return err
		}
	}
	for i := range cameraCount {
		if err := listenHTTP(ctx, cameraAddr(i), 80, cameraWeb(dice(fmt.Sprint("web of camera ", i)))); err != nil {
			return err
		}
	}
	return nil
}

func listenHTTP(ctx context.Context, a netip.Addr, port uint16, h http.Handler) error {
	l, err := net.Listen("tcp", at(a, port))
	if err != nil {
		return err
	}
	s := &http.Server{Handler: h}
	context.AfterFunc(ctx, func() { s.Close() })
	go func() { _ = s.Serve(l) }()
	return nil
}

// site answers any path by its suffix, from contents made before.
func site(d *rand.Rand) http.Handler {
	var pages, scripts, sheets, pictures, texts [][]byte
	for range 8 {
		pages = append(pages, htmlPage(d, pageSize/2+d.IntN(pageSize), []string{"/a.css", "/lib.js"}))
		scripts = append(scripts, script(d, assetSize/2+d.IntN(assetSize)))
		sheets = append(sheets, styles(d, assetSize/2))
		pictures = append(pictures, jpeg(d, assetSize/2+d.IntN(2*assetSize)))
		texts = append(texts, jsonText(d, 3000))
	}
	image := firmware(d, firmwareSize)
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		_, _ = io.Copy(io.Discard, req.Body)
		n := 0
		for _, c := range []byte(req.URL.Path) {
			n = n*31 + int(c)
		}
		n &= 0xffff
		w.Header().Set("Server", []string{"nginx/1.24.0", "Apache/2.4.58 (Unix)", "Microsoft-IIS/10.0"}[n%3])
		w.Header().Set("Set-Cookie", fmt.Sprintf("session=%x; path=/", n*2654435761))
		pick := func(of [][]byte, kind string) { answer(w, req, of[n%len(of)], kind, n) }
		switch p := req.URL.Path; {
		case strings.HasSuffix(p, ".css"):
			pick(sheets, "text/css")
		case strings.HasSuffix(p, ".js"):
			pick(scripts, "application/javascript")
		case strings.HasSuffix(p, ".jpg"):
			pick(pictures, "image/jpeg")
		case strings.HasPrefix(p, "/api/"):
			pick(texts, "application/json")
		case strings.HasSuffix(p, ".bin"):
			answer(w, req, image, "application/octet-stream", 2)
		default:
			pick(pages, "text/html; charset=utf-8")
		}
	})
}

// answer sends a body plain, compressed or chunked.
func answer(w http.ResponseWriter, req *http.Request, body []byte, kind string, n int) {
	w.Header().Set("Content-Type", kind)
	text := !strings.HasPrefix(kind, "image/") && !strings.HasSuffix(kind, "octet-stream")
	switch {
	case text && n%contentLayers == 0 && strings.Contains(req.Header.Get("Accept-Encoding"), "gzip"):
		w.Header().Set("Content-Encoding", "gzip")
		body = gzipped(body)
	case text && n%contentLayers == 1:
		for len(body) > 4096 {
			_, _ = w.Write(body[:4096])
			body = body[4096:]
			w.(http.Flusher).Flush()
		}
	default:
		w.Header().Set("Content-Length", fmt.Sprint(len(body)))
	}
	_, _ = w.Write(body) // a client that is gone needs none
}

const browser = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36"

// webClient keeps its connections, and says what browsers say.
type webClient struct {
	http.Client
	agent string
}

func newWebClient(a netip.Addr) *webClient {
	return &webClient{agent: browser, Client: http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{
		DialContext: from(a).DialContext, DisableCompression: true, MaxIdleConnsPerHost: 4,
	}}}
}

// ask sends a request and reads the answer, whatever its status.
func (c *webClient) ask(ctx context.Context, method, url string, body []byte, header ...string) error {
	req, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("User-Agent", c.agent)
	for i := 0; i+1 < len(header); i += 2 {
		if header[i] == "Host" {
			req.Host = header[i+1]
			continue
		}
		req.Header.Set(header[i], header[i+1])
	}
	res, err := c.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	_, err = io.Copy(io.Discard, res.Body)
	return err
}

// siteName is the name of a web site.
func siteName(i int) string {
	return words[i*29%len(words)] + "-" + words[i*53%len(words)] + ".example.com"
}

// browse is the offices' web, and a firmware that is fetched once.
func browse(ctx context.Context, g *errgroup.Group) {
	for i := range officeCount {
		d, c := dice(fmt.Sprint("office ", i)), newWebClient(officeAddr(i))
		g.Go(func() error {
			return each(ctx, visits, func(int) error {
				s := d.IntN(siteCount)
				return visit(ctx, c, d, "http://"+siteAddr(s).String(), siteName(s))
			})
		})
	}
	g.Go(func() error {
		return each(ctx, 1, func(int) error {
			return newWebClient(officeAddr(0)).ask(ctx, "GET", "http://"+siteAddr(0).String()+"/pub/cam-1.4.2.bin", nil, "Host", siteName(0))
		})
	})
	for i := range uploads {
		g.Go(func() error { return upload(ctx, officeAddr(i), dice(fmt.Sprint("upload ", i))) })
	}
}

func visit(ctx context.Context, c *webClient, d *rand.Rand, base, name string) error {
	page := fmt.Sprintf("/%s/%s.html?%s=%d&%s=%s", word(d), word(d), word(d), d.IntN(1e6), word(d), word(d))
	paths := []string{page, "/static/" + word(d) + ".css", "/static/" + word(d) + ".js", "/api/" + word(d) + "/" + word(d)}
	for range 1 + d.IntN(2) {
		paths = append(paths, fmt.Sprintf("/images/%s_%d.jpg", word(d), d.IntN(1000)))
	}
	for i, p := range paths {
		referer := base + page
		if i == 0 {
			referer = "http://" + word(d) + ".example.net/"
		}
		err := c.ask(ctx, "GET", base+p, nil, "Host", name, "Accept", "text/html,application/xhtml+xml,*/*;q=0.8",
			"Accept-Language", "en-US,en;q=0.5", "Accept-Encoding", "gzip, deflate", "Referer", referer, "Cookie", "session="+word(d))
		if err != nil {
			return err
		}
	}
	return c.ask(ctx, "POST", base+"/api/"+word(d), []byte(fmt.Sprintf("%s=%s&%s=%d", word(d), word(d), word(d), d.IntN(1e6))),
		"Host", name, "Content-Type", "application/x-www-form-urlencoded")
}

// upload posts a file as a form.
func upload(ctx context.Context, a netip.Addr, d *rand.Rand) error {
	return each(ctx, 2, func(int) error {
		var b bytes.Buffer
		w := multipart.NewWriter(&b)
		_ = w.WriteField("title", phrase(d, 3))
		f, err := w.CreateFormFile("file", word(d)+".zip")
		if err != nil {
			return err
		}
		_, _ = f.Write(randomBytes(d, uploadSize))
		if err := w.Close(); err != nil {
			return err
		}
		s := d.IntN(siteCount)
		return newWebClient(a).ask(ctx, "POST", "http://"+siteAddr(s).String()+"/upload.php", b.Bytes(), "Host", siteName(s), "Content-Type", w.FormDataContentType())
	})
}

// cameraWeb is a camera's page, its ONVIF services and its snapshots.
func cameraWeb(d *rand.Rand) http.Handler {
	page, picture := htmlPage(d, 4000, []string{"/js/main.js"}), jpeg(d, snapshotSize)
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		w.Header().Set("Server", "LabOptics-Webs")
		body, _ := io.ReadAll(io.LimitReader(req.Body, 1<<20))
		switch {
		case strings.HasPrefix(req.URL.Path, "/onvif/") && req.Method == "POST":
			w.Header().Set("Content-Type", "application/soap+xml; charset=utf-8")
			fmt.Fprintf(w, soapFrame, soapAnswer(body))
		case strings.HasPrefix(req.URL.Path, "/cgi-bin/snapshot"):
			if req.Header.Get("Authorization") == "" {
				w.Header().Set("WWW-Authenticate", `Basic realm="LO-1080"`)
				http.Error(w, "401 Unauthorized", http.StatusUnauthorized)
				return
			}
			answer(w, req, picture, "image/jpeg", 2)
		case req.URL.Path == "/":
			answer(w, req, page, "text/html", 2)
		default:
			http.NotFound(w, req)
		}
	})
}

const soapFrame = `<?xml version="1.0" encoding="UTF-8"?>
<SOAP-ENV:Envelope xmlns:SOAP-ENV="http://www.w3.org/2003/05/soap-envelope" xmlns:tt="http://www.onvif.org/ver10/schema"
 xmlns:tds="http://www.onvif.org/ver10/device/wsdl" xmlns:trt="http://www.onvif.org/ver10/media/wsdl"
 xmlns:tev="http://www.onvif.org/ver10/events/wsdl"><SOAP-ENV:Body>%s</SOAP-ENV:Body></SOAP-ENV:Envelope>
`

// soapAnswer has the size and words of a real camera's.
func soapAnswer(request []byte) string {
	for _, op := range operations {
		if bytes.Contains(request, []byte(":"+op.name)) {
			return "<" + op.prefix + ":" + op.name + "Response>" + op.answer + "</" + op.prefix + ":" + op.name + "Response>"
		}
	}
	return `<SOAP-ENV:Fault><SOAP-ENV:Code><SOAP-ENV:Value>SOAP-ENV:Sender</SOAP-ENV:Value></SOAP-ENV:Code></SOAP-ENV:Fault>`
}

// operations are what a video server asks of cameras all day.
var operations = []struct{ prefix, name, answer string }{
	{"tds", "GetSystemDateAndTime", `<tds:SystemDateAndTime><tt:DateTimeType>NTP</tt:DateTimeType><tt:UTCDateTime><tt:Time><tt:Hour>8</tt:Hour></tt:Time></tt:UTCDateTime></tds:SystemDateAndTime>`},
	{"tds", "GetDeviceInformation", `<tds:Manufacturer>Lab Optics</tds:Manufacturer><tds:Model>LO-1080</tds:Model><tds:FirmwareVersion>1.4.2</tds:FirmwareVersion>`},
	{"trt", "GetProfiles", strings.Repeat(`<trt:Profiles token="main" fixed="true"><tt:Name>main</tt:Name><tt:VideoEncoderConfiguration token="v"><tt:Encoding>H264</tt:Encoding><tt:Resolution><tt:Width>1920</tt:Width><tt:Height>1080</tt:Height></tt:Resolution></tt:VideoEncoderConfiguration></trt:Profiles>`, 6)},
	{"trt", "GetStreamUri", `<trt:MediaUri><tt:Uri>rtsp://10.0.1.10/Streaming/Channels/101</tt:Uri><tt:Timeout>PT0S</tt:Timeout></trt:MediaUri>`},
	{"tev", "PullMessages", strings.Repeat(`<wsnt:NotificationMessage><wsnt:Topic Dialect="http://www.onvif.org/ver10/tev/topicExpression/ConcreteSet">tns1:RuleEngine/CellMotionDetector/Motion</wsnt:Topic><tt:SimpleItem Name="IsMotion" Value="true"/></wsnt:NotificationMessage>`, 3)},
	{"tds", "GetCapabilities", strings.Repeat(`<tt:Media><tt:XAddr>http://10.0.1.10/onvif/media_service</tt:XAddr><tt:StreamingCapabilities><tt:RTPMulticast>false</tt:RTPMulticast></tt:StreamingCapabilities></tt:Media>`, 4)},
}

const question = `<?xml version="1.0" encoding="UTF-8"?>
<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:%[1]s="http://www.onvif.org/ver10/%[1]s/wsdl"><s:Header>
<Security xmlns="http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"><UsernameToken><Username>viewer</Username>
<Password Type="http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0#PasswordDigest">%[3]s</Password></UsernameToken>
</Security></s:Header><s:Body><%[1]s:%[2]s/></s:Body></s:Envelope>
`

// pollCameras is what the video server asks over HTTP.
func pollCameras(ctx context.Context, g *errgroup.Group) {
	for i := range cameraCount {
		local := vms
		if cameraAddr(i).Is6() {
			local = vms6
		}
		d, c, base := dice(fmt.Sprint("poll ", i)), newWebClient(local), "http://"+at(cameraAddr(i), 80)
		c.agent = "LabVMS/4.2 gSOAP/2.8"
		g.Go(func() error {
			return each(ctx, polls, func(n int) error {
				op := operations[n%len(operations)]
				digest := base64.StdEncoding.EncodeToString(randomBytes(d, 20))
				return c.ask(ctx, "POST", base+"/onvif/device_service", []byte(fmt.Sprintf(question, op.prefix, op.name, digest)),
					"Content-Type", "application/soap+xml; charset=utf-8")
			})
		})
		g.Go(func() error {
			return each(ctx, snapshots, func(n int) error {
				header := []string{"Authorization", "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))}
				if n == 0 {
					header = nil
				}
				return c.ask(ctx, "GET", base+"/cgi-bin/snapshot.cgi?channel=1", nil, header...)
			})
		})
	}
}

// raw asks for a path as it stands, which an URL might not hold.
func (c *webClient) raw(ctx context.Context, method, base, path string, body []byte) error {
	req, err := http.NewRequestWithContext(ctx, method, base+"/", bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.URL.Opaque = path
	req.Header.Set("User-Agent", c.agent)
	res, err := c.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	_, err = io.Copy(io.Discard, res.Body)
	return err
}
