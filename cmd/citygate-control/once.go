package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"citygate/pkg/config"
	"citygate/pkg/control"
	"citygate/pkg/control/api"
	"citygate/pkg/sandbox"
)

// bornEnv says that a process was started for the sandbox; its value is the interfaces of the machine, which it cannot see.
const bornEnv = "CITYGATE_ONCE"

// nobody is who reads for root.
const nobody = 65534

var errUsage = errors.New("usage: citygate-control boot|paths -c FILE, or citygate-control check -c FILE [POLICY]")

// once carries out a verb and gives the exit code: 0 yes, 1 no (check found errors), 2 it could not.
func once(verb string, args []string) int {
	code, err := answer(verb, args)
	var errs config.Errors
	switch {
	case errors.As(err, &errs):
		fmt.Fprintln(os.Stderr, err)
	case err != nil:
		fmt.Fprintln(os.Stderr, "citygate-control:", err)
	}
	return code
}

func answer(verb string, args []string) (int, error) {
	flags := flag.NewFlagSet("citygate-control", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	file := flags.String("c", config.DefaultFile, "config `FILE`")
	if flags.Parse(args) != nil || flags.NArg() > 1 || (verb != "check" && flags.NArg() > 0) {
		return 2, errUsage
	}
	name, policy, err := absolute(*file, flags.Arg(0))
	if err != nil {
		return 2, err
	}
	if os.Getuid() == 0 { // nothing is parsed as root
		return respawn(verb, name, policy)
	}
	interfaces, err := enter(verb, name, policy)
	if err != nil {
		return 2, err
	}
	switch verb {
	case "boot":
		return boot(name)
	case "paths":
		return paths(name)
	case "check":
		return check(name, policy, interfaces)
	}
	return 2, errUsage
}

func absolute(file, policy string) (string, string, error) {
	file, err := filepath.Abs(file)
	if err == nil && policy != "" && policy != "-" {
		policy, err = filepath.Abs(policy)
	}
	return file, policy, err
}

// profile is that of the launcher's reader; a check reads the folder of the policy too.
func profile(file, policy string) sandbox.Profile {
	p := sandbox.Boot(file)
	if policy != "" && policy != "-" {
		p.Read = append(p.Read, filepath.Dir(policy))
	}
	return p
}

// respawn starts this program again as a user without rights, and gives its exit code.
func respawn(verb, file, policy string) (int, error) {
	p := profile(file, policy)
	interfaces, err := interfaceNames()
	if err != nil {
		return 2, err
	}
	args := []string{verb, "-c", file}
	if policy != "" {
		args = append(args, policy)
	}
	cmd := exec.Command("/proc/self/exe", args...)
	cmd.Env = append(os.Environ(), bornEnv+"="+strings.Join(interfaces, ","))
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = p.Attr(nobody)
	runtime.LockOSThread() // the child dies with this thread, which keeps no way to capabilities
	if err := p.DropBounding(); err != nil {
		return 2, err
	}
	err = cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() >= 0 {
		return exit.ExitCode(), nil // it has said why
	}
	if err != nil {
		return 2, fmt.Errorf("read %s as user %d: %w", file, nobody, err)
	}
	return 0, nil
}

// enter goes into the sandbox if this process was born for it. A person's own process is left as it is: it can do
// nothing that the person could not.
func enter(verb, file, policy string) ([]string, error) {
	names, born := os.LookupEnv(bornEnv)
	if born || verb == "boot" {
		return strings.Split(names, ","), sandbox.Enter(profile(file, policy))
	}
	return interfaceNames()
}

func interfaceNames() ([]string, error) {
	all, err := net.Interfaces()
	if err != nil {
		return nil, fmt.Errorf("list the interfaces: %w", err)
	}
	var names []string
	for _, i := range all {
		names = append(names, i.Name)
	}
	return names, nil
}

func boot(file string) (int, error) {
	c, err := control.ReadConfig(file)
	if err != nil {
		return 2, err
	}
	record, err := control.BootRecord(c).Append(nil)
	if err == nil {
		_, err = os.Stdout.Write(record)
	}
	if err != nil {
		return 2, err
	}
	return 0, nil
}

func paths(file string) (int, error) {
	c, err := control.ReadConfig(file)
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(control.Paths(c))
	}
	if err != nil {
		return 2, err
	}
	return 0, nil
}

func check(file, policy string, interfaces []string) (int, error) {
	f := control.Files{Config: file, Optional: policy != "" && file == config.DefaultFile, Policy: policy, Interfaces: interfaces}
	var err error
	switch policy {
	case "":
	case "-":
		f.Policy = "standard input"
		f.Text, err = io.ReadAll(io.LimitReader(os.Stdin, api.MaxPolicy+1))
	default:
		f.Text, err = os.ReadFile(policy)
	}
	if err != nil {
		return 2, fmt.Errorf("read the policy: %w", err)
	}
	out, err := control.Check(f)
	if err != nil {
		return 2, err
	}
	if err := json.NewEncoder(os.Stdout).Encode(out); err != nil {
		return 2, err
	}
	if !out.OK {
		return 1, nil
	}
	return 0, nil
}
