package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"citygate/pkg/config"
	"citygate/pkg/control"
	"citygate/pkg/control/api"
	"citygate/pkg/sandbox"
	"citygate/pkg/sandbox/profile"
)

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

// enter goes into the sandbox if this process was started for it, and gives the interfaces of the machine, which it then
// cannot see. A person's own process is left as it is: it can do nothing that the person could not; only root may not.
func enter(verb, file, policy string) ([]string, error) {
	names, born := os.LookupEnv(api.InterfacesEnv)
	if born || verb == "boot" || os.Getuid() == 0 {
		p := profile.Boot(file)
		if policy != "" && policy != "-" {
			p.Read = append(p.Read, filepath.Dir(policy))
		}
		p.Read = slices.DeleteFunc(p.Read, func(dir string) bool { _, err := os.Stat(dir); return errors.Is(err, fs.ErrNotExist) })
		return strings.Split(names, ","), sandbox.Enter(p)
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
