package environ

import (
	"fmt"
	"strings"
)

// shell quotes for a POSIX shell: between single quotes everything but a single quote stands for itself.
func shell(v Variable) (string, error) {
	return "export " + v.Name + "='" + strings.ReplaceAll(v.Value, "'", `'\''`) + "'", nil
}

// dotenv takes single quotes, inside which readers change nothing, unless the value has what those cannot hold.
func dotenv(v Variable) (string, error) {
	if !strings.ContainsAny(v.Value, "'\n\r\\") {
		return v.Name + "='" + v.Value + "'", nil
	}
	escaped := strings.NewReplacer(`\`, `\\`, `"`, `\"`, "$", `\$`, "\n", `\n`, "\r", `\r`).Replace(v.Value)
	return v.Name + `="` + escaped + `"`, nil
}

// compose always takes single quotes, where nothing is interpolated and \' is a quote. Its reader leaves a backslash alone otherwise, so an odd
// number of them before a quote or at the end has no way to be written.
func compose(v Variable) (string, error) {
	run := 0
	for _, r := range v.Value + "'" {
		if r == '\'' && run%2 == 1 {
			return "", fmt.Errorf("the value of %s has a backslash where docker compose cannot read one; choose another format", v.Name)
		}
		if r == '\\' {
			run++
		} else {
			run = 0
		}
	}
	return v.Name + "='" + strings.ReplaceAll(v.Value, "'", `\'`) + "'", nil
}

// systemd takes double quotes, inside which a backslash guards itself and three others, and a new line stands for itself.
func systemd(v Variable) (string, error) {
	return v.Name + `="` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "$", `\$`, "`", "\\`").Replace(v.Value) + `"`, nil
}
