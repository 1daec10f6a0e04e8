package traffic

import (
	"bufio"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
)

// Protocols of lines: SMTP, FTP and Telnet, as far as a session with them goes.
const (
	mails     = 4 // of an office
	mailSize  = 60 << 10
	deposits  = 2 // files of a camera
	fileSize  = 50 << 10
	logIns    = 2 // of an office to the sites' consoles
	lineLimit = 4096
)

// serveMail opens the mail server and the store for files, serveLines the consoles.
func serveMail(ctx context.Context) error {
	if err := listenLines(ctx, mailHost, 25, smtpServer); err != nil {
		return err
	}
	return listenLines(ctx, store, 21, ftpServer)
}

func serveLines(ctx context.Context) error {
	for i := range plantCount {
		if err := listenLines(ctx, plantAddr(i), 23, telnetServer); err != nil {
			return err
		}
	}
	return nil
}

// session reads lines of a connection and writes texts.
type session struct {
	net.Conn
	r *bufio.Reader
}

func (s *session) line() (string, error) {
	l, err := s.r.ReadString('\n')
	return strings.TrimRight(l, "\r\n"), err
}

func (s *session) say(format string, args ...any) error {
	_, err := fmt.Fprintf(s.Conn, format, args...)
	return err
}

func listenLines(ctx context.Context, a netip.Addr, port uint16, f func(*session) error) error {
	l, err := net.Listen("tcp", at(a, port))
	if err != nil {
		return err
	}
	context.AfterFunc(ctx, func() { l.Close() })
	go acceptAll(l, func(c net.Conn) { _ = f(&session{c, bufio.NewReaderSize(c, lineLimit)}) })
	return nil
}

func dialLines(ctx context.Context, a, to netip.Addr, port uint16) (*session, error) {
	c, err := from(a).DialContext(ctx, "tcp", at(to, port))
	if err != nil {
		return nil, err
	}
	_ = c.SetDeadline(time.Now().Add(10 * time.Second))
	return &session{c, bufio.NewReaderSize(c, lineLimit)}, nil
}

// smtpServer takes mail (RFC 5321).
func smtpServer(s *session) error {
	if err := s.say("220 mail.example.com ESMTP\r\n"); err != nil {
		return err
	}
	for {
		l, err := s.line()
		if err != nil {
			return err
		}
		answer := "250 2.0.0 Ok\r\n"
		switch verb, _, _ := strings.Cut(strings.ToUpper(l), " "); verb {
		case "EHLO":
			answer = "250-mail.example.com\r\n250-SIZE 50000000\r\n250 8BITMIME\r\n"
		case "DATA":
			if err := s.say("354 End data with <CR><LF>.<CR><LF>\r\n"); err != nil {
				return err
			}
			for l != "." {
				if l, err = s.line(); err != nil {
					return err
				}
			}
		case "QUIT":
			return s.say("221 2.0.0 Bye\r\n")
		}
		if err := s.say("%s", answer); err != nil {
			return err
		}
	}
}

// talk says each text and reads an answer of a line that is the last of its reply.
func (s *session) talk(texts ...string) error {
	for _, t := range texts {
		if err := s.say("%s", t); err != nil {
			return err
		}
		for {
			l, err := s.line()
			if err != nil {
				return err
			}
			if len(l) > 3 && l[3] == ' ' {
				break
			}
		}
	}
	return nil
}

// mail is the offices' mail, with attachments, and the cameras' files.
func mail(ctx context.Context, g *errgroup.Group) {
	for i := range officeCount {
		d := dice(fmt.Sprint("mail ", i))
		g.Go(func() error {
			return each(ctx, mails, func(int) error {
				s, err := dialLines(ctx, officeAddr(i), mailHost, 25)
				if err != nil {
					return err
				}
				defer s.Close()
				var lines strings.Builder
				text := base64.StdEncoding.EncodeToString(randomBytes(d, mailSize/2+d.IntN(mailSize)))
				for ; len(text) > 76; text = text[76:] {
					lines.WriteString(text[:76] + "\r\n")
				}
				return s.talk("", "EHLO office.example.com\r\n", "MAIL FROM:<"+word(d)+"@example.com>\r\n", "RCPT TO:<"+word(d)+"@example.net>\r\n", "DATA\r\n",
					"From: "+word(d)+"@example.com\r\nTo: "+word(d)+"@example.net\r\nSubject: "+phrase(d, 4)+"\r\nMIME-Version: 1.0\r\n"+
						"Content-Type: multipart/mixed; boundary=\"b1\"\r\n\r\n--b1\r\nContent-Type: text/plain\r\n\r\n"+phrase(d, 60)+"\r\n--b1\r\n"+
						"Content-Type: application/pdf; name=\""+word(d)+".pdf\"\r\nContent-Transfer-Encoding: base64\r\n\r\n"+lines.String()+text+"\r\n--b1--\r\n.\r\n",
					"QUIT\r\n")
			})
		})
	}
	for i := range cameraCount {
		d := dice(fmt.Sprint("deposit ", i))
		g.Go(func() error {
			return each(ctx, deposits, func(int) error {
				return deposit(ctx, vms, word(d)+".jpg", jpeg(d, fileSize))
			})
		})
	}
}

// ftpServer takes files (RFC 959), passive only.
func ftpServer(s *session) error {
	var data net.Listener
	defer func() {
		if data != nil {
			data.Close()
		}
	}()
	if err := s.say("220 store ready\r\n"); err != nil {
		return err
	}
	for {
		l, err := s.line()
		if err != nil {
			return err
		}
		answer := "200 Ok\r\n"
		switch verb, _, _ := strings.Cut(strings.ToUpper(l), " "); verb {
		case "USER":
			answer = "331 Password required\r\n"
		case "PASS":
			answer = "230 Logged in\r\n"
		case "PASV":
			if data, err = net.Listen("tcp", at(store, 0)); err != nil {
				return err
			}
			p := data.Addr().(*net.TCPAddr).Port
			answer = fmt.Sprintf("227 Entering Passive Mode (%s,%d,%d)\r\n", strings.ReplaceAll(store.String(), ".", ","), p>>8, p&255)
		case "STOR":
			if data == nil {
				return s.say("425 No data connection\r\n")
			}
			if err := s.take(data); err != nil {
				return err
			}
			answer = "226 Transfer complete\r\n"
		case "QUIT":
			return s.say("221 Bye\r\n")
		}
		if err := s.say("%s", answer); err != nil {
			return err
		}
	}
}

func (s *session) take(data net.Listener) error {
	if err := s.say("150 Ok to send data\r\n"); err != nil {
		return err
	}
	c, err := data.Accept()
	if err != nil {
		return err
	}
	defer c.Close()
	_, err = io.Copy(io.Discard, c)
	return err
}

func deposit(ctx context.Context, a netip.Addr, name string, file []byte) error {
	s, err := dialLines(ctx, a, store, 21)
	if err != nil {
		return err
	}
	defer s.Close()
	if err := s.talk("", "USER camera\r\n", "PASS snapshots\r\n", "TYPE I\r\n"); err != nil {
		return err
	}
	if err := s.say("PASV\r\n"); err != nil {
		return err
	}
	l, err := s.line()
	if err != nil {
		return err
	}
	var h [4]int
	var hi, lo int
	if _, err := fmt.Sscanf(l, "227 Entering Passive Mode (%d,%d,%d,%d,%d,%d)", &h[0], &h[1], &h[2], &h[3], &hi, &lo); err != nil {
		return fmt.Errorf("%q: %w", l, err)
	}
	if err := s.talk("STOR " + name + "\r\n"); err != nil {
		return err
	}
	c, err := from(a).DialContext(ctx, "tcp", at(store, uint16(hi<<8|lo)))
	if err != nil {
		return err
	}
	_, err = c.Write(file)
	c.Close()
	if err != nil {
		return err
	}
	return s.talk("", "QUIT\r\n")
}

// telnetServer is a console: options (RFC 854), a log-in, commands.
func telnetServer(s *session) error {
	if err := s.say("\xff\xfd\x01\xff\xfb\x01\xff\xfb\x03\r\nplc login: "); err != nil {
		return err
	}
	if _, err := s.line(); err != nil {
		return err
	}
	if err := s.say("Password: "); err != nil {
		return err
	}
	if _, err := s.line(); err != nil {
		return err
	}
	if err := s.say("\r\nLast login: Mon Nov 23 08:00:00\r\nplc> "); err != nil {
		return err
	}
	for {
		l, err := s.line()
		if err != nil || l == "exit" {
			return err
		}
		if err := s.say("%s\r\n%s\r\nplc> ", l, strings.Repeat("register 17 value 4711 quality good\r\n", 20)); err != nil {
			return err
		}
	}
}

// logIn is somebody at a console.
func logIn(ctx context.Context, g *errgroup.Group) {
	for i := range officeCount {
		d := dice(fmt.Sprint("console ", i))
		g.Go(func() error {
			return each(ctx, logIns, func(int) error {
				return console(ctx, officeAddr(i), plantAddr(d.IntN(plantCount)), "operator", word(d)+"7", "show status", "show registers", "show log")
			})
		})
	}
}

// console logs in, gives commands and waits for each one's prompt.
func console(ctx context.Context, a, to netip.Addr, name, secret string, commands ...string) error {
	s, err := dialLines(ctx, a, to, 23)
	if err != nil {
		return err
	}
	defer s.Close()
	steps := [][2]string{{"login: ", name}, {"Password: ", secret}}
	for _, c := range commands {
		steps = append(steps, [2]string{"plc> ", c})
	}
	for _, st := range append(steps, [2]string{"plc> ", "exit"}) {
		if err := s.await(st[0]); err != nil {
			return err
		}
		if err := s.say("%s\r\n", st[1]); err != nil {
			return err
		}
	}
	return nil
}

func (s *session) await(text string) error {
	seen := ""
	for !strings.HasSuffix(seen, text) {
		b, err := s.r.ReadByte()
		if err != nil {
			return err
		}
		seen = seen[max(0, len(seen)-64):] + string(rune(b))
	}
	return nil
}
