package strict

import (
	"encoding/json"
	"fmt"
	"math/big"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
)

// reason says why a place does not fit, from the schema's side alone: the validator's own texts quote the value, which may be a secret.
func reason(k jsonschema.ErrorKind) string {
	switch k := k.(type) {
	case *kind.Type:
		return "must be of type " + strings.Join(k.Want, " or ")
	case *kind.Enum:
		return "must be one of " + list(k.Want)
	case *kind.Const:
		return "must be " + list([]any{k.Want})
	case *kind.Required:
		return "lacks " + names(k.Missing)
	case *kind.DependentRequired:
		return "lacks " + names(k.Missing) + ", needed beside " + names([]string{k.Prop})
	case *kind.Dependency:
		return "lacks " + names(k.Missing) + ", needed beside " + names([]string{k.Prop})
	case *kind.FalseSchema:
		return "is not allowed here"
	case *kind.Format:
		return "must have the format " + k.Want
	case *kind.Pattern:
		return "must match the pattern " + k.Want
	default:
		return limit(k)
	}
}

// limit explains the kinds that are about a size.
func limit(k jsonschema.ErrorKind) string {
	switch k := k.(type) {
	case *kind.Minimum:
		return "must be at least " + number(k.Want)
	case *kind.Maximum:
		return "must be at most " + number(k.Want)
	case *kind.ExclusiveMinimum:
		return "must be more than " + number(k.Want)
	case *kind.ExclusiveMaximum:
		return "must be less than " + number(k.Want)
	case *kind.MultipleOf:
		return "must be a multiple of " + number(k.Want)
	case *kind.MinLength:
		return fmt.Sprintf("must have at least %d characters", k.Want)
	case *kind.MaxLength:
		return fmt.Sprintf("must have at most %d characters", k.Want)
	case *kind.MinItems:
		return fmt.Sprintf("must have at least %d elements", k.Want)
	case *kind.MaxItems:
		return fmt.Sprintf("must have at most %d elements", k.Want)
	case *kind.MinProperties:
		return fmt.Sprintf("must have at least %d members", k.Want)
	case *kind.MaxProperties:
		return fmt.Sprintf("must have at most %d members", k.Want)
	case *kind.UniqueItems:
		return "must not hold the same element twice"
	default:
		if path := k.KeywordPath(); len(path) > 0 {
			return "does not fit the schema's " + path[0]
		}
		return "does not fit the schema"
	}
}

// few is how many wrong names are told.
const few = 5

// names quotes member names, shortened and few: they are the caller's own.
func names(all []string) string {
	shown := make([]string, 0, few+1)
	for i, n := range all {
		if i == few {
			shown = append(shown, fmt.Sprintf("and %d more", len(all)-few))
			break
		}
		shown = append(shown, fmt.Sprintf("%q", pointerPart(n)))
	}
	return strings.Join(shown, ", ")
}

// list writes the schema's own values.
func list(values []any) string {
	out := make([]string, len(values))
	for i, v := range values {
		text, err := json.Marshal(v)
		if err != nil {
			return "the schema's values"
		}
		out[i] = string(text)
	}
	return strings.Join(out, ", ")
}

func number(r *big.Rat) string {
	if r.IsInt() {
		return r.Num().String()
	}
	f, _ := r.Float64()
	return fmt.Sprint(f)
}
