package s3

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/signer"
)

// keys is where access keys are made. S3 itself has no word for it: every server has its own. A key by itself may do nothing; the policies of
// buckets name what it may.
type keys interface {
	// put makes the key, or gives the one that is there this secret.
	put(ctx context.Context, key, secret string) error
	// remove is no error when the key is gone.
	remove(ctx context.Context, key string) error
	// list gives the keys that begin so.
	list(ctx context.Context, prefix string) ([]string, error)
}

// versity is the administration of a versitygw that keeps its accounts by itself.
type versity struct {
	server  Server
	through http.RoundTripper
}

// account is one access key, as the server writes it.
type account struct {
	XMLName xml.Name `xml:"Account"`
	Access  string
	Secret  string
	Role    string
}

// change is what may be changed of an account.
type change struct {
	XMLName xml.Name `xml:"MutableProps"`
	Secret  string
}

func (v versity) put(ctx context.Context, key, secret string) error {
	// The role may neither make buckets nor see those of others.
	_, err := v.ask(ctx, "create-user", nil, account{Access: key, Secret: secret, Role: "user"})
	if !said(err, "XAdminUserExists") {
		return err
	}
	_, err = v.ask(ctx, "update-user", url.Values{"access": {key}}, change{Secret: secret})
	return err
}

func (v versity) remove(ctx context.Context, key string) error {
	_, err := v.ask(ctx, "delete-user", url.Values{"access": {key}}, nil)
	if said(err, "XAdminUserNotFound") {
		return nil
	}
	return err
}

func (v versity) list(ctx context.Context, prefix string) ([]string, error) {
	text, err := v.ask(ctx, "list-users", nil, nil)
	if err != nil {
		return nil, err
	}
	var all struct {
		Accounts []struct{ Access string } // and their secrets, which nobody needs here
	}
	if err := xml.Unmarshal(text, &all); err != nil {
		return nil, errors.New("the list of keys is malformed") // the error would show what was read
	}
	var out []string
	for _, a := range all.Accounts {
		if strings.HasPrefix(a.Access, prefix) {
			out = append(out, a.Access)
		}
	}
	return out, nil
}

// ask makes one signed request. The answer of list-users holds secrets: it is never logged.
func (v versity) ask(ctx context.Context, verb string, query url.Values, body any) ([]byte, error) {
	var text []byte
	if body != nil {
		var err error
		if text, err = xml.Marshal(body); err != nil {
			return nil, err
		}
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPatch, strings.TrimRight(v.server.Admin, "/")+"/"+verb+"?"+query.Encode(), bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(text)
	r.Header.Set("X-Amz-Content-Sha256", hex.EncodeToString(sum[:]))
	answer, err := v.through.RoundTrip(signer.SignV4(*r, v.server.AccessKey, v.server.Secret, "", v.server.Region))
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	said, err := io.ReadAll(io.LimitReader(answer.Body, 64<<20))
	if err != nil {
		return nil, err
	}
	if answer.StatusCode >= http.StatusBadRequest {
		refusal := minio.ErrorResponse{Code: "Unknown", Message: verb + " was refused"}
		_ = xml.Unmarshal(said, &refusal) // the status says enough when the text does not
		refusal.StatusCode = answer.StatusCode
		return nil, refusal
	}
	return said, nil
}
