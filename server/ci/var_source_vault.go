package ci

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"

	"github.com/signalbox/signalbox/server/ci/engine"
	"github.com/signalbox/signalbox/server/ci/vars"
	"github.com/signalbox/signalbox/server/platform/outbound"
)

const (
	vaultTimeout = 20 * time.Second
	// vaultAnswer is the largest answer that is read.
	vaultAnswer = 1 << 20
)

// vaultConfig has Concourse's keys.
type vaultConfig struct {
	URL                string            `json:"url"`
	CACert             string            `json:"ca_cert"`
	PathPrefix         string            `json:"path_prefix"`
	LookupTemplates    []string          `json:"lookup_templates"`
	SharedPath         string            `json:"shared_path"`
	Namespace          string            `json:"namespace"`
	ClientToken        string            `json:"client_token"`
	AuthBackend        string            `json:"auth_backend"`
	AuthParams         map[string]string `json:"auth_params"`
	InsecureSkipVerify bool              `json:"insecure_skip_verify"`
	ClientCert         string            `json:"client_cert"`
}

// vault reads secrets of a Vault server. It lives as long as the build.
type vault struct {
	client    *http.Client
	base      *url.URL
	namespace string
	token     string
	// folders are where a name is looked for, in order.
	folders []string
	// versioned tells, by mount, whether it keeps versions (KV 2).
	versioned map[string]bool
}

func (s *Service) openVault(ctx context.Context, b engine.Build, config any) (*vault, error) {
	c := vaultConfig{PathPrefix: "/concourse", LookupTemplates: []string{"/{{.Team}}/{{.Pipeline}}/{{.Secret}}", "/{{.Team}}/{{.Secret}}"}}
	if err := readConfig(config, &c); err != nil {
		return nil, err
	}
	base, err := outbound.CheckURL(c.URL)
	if err != nil {
		return nil, fmt.Errorf("the url of the Vault is not usable: %w", err)
	}
	if c.InsecureSkipVerify || c.ClientCert != "" {
		return nil, errors.New("insecure_skip_verify and client_cert are not supported; give the Vault's certificate as ca_cert, and authenticate by token or approle")
	}
	roots, err := rootsOf(c.CACert)
	if err != nil {
		return nil, err
	}
	if s.deps.Dial == nil {
		return nil, errors.New("this server makes no outgoing calls")
	}
	transport := &http.Transport{DialContext: s.deps.Dial, TLSClientConfig: &tls.Config{RootCAs: roots}, DisableKeepAlives: true}
	v := &vault{base: base, namespace: c.Namespace, token: c.ClientToken, versioned: map[string]bool{}, client: &http.Client{Transport: transport, Timeout: vaultTimeout,
		// A redirect would take the token to somebody else.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
	if v.folders, err = vaultFolders(c, b); err != nil {
		return nil, err
	}
	if v.token == "" {
		err = v.login(ctx, c)
	}
	return v, err
}

func rootsOf(certificate string) (*x509.CertPool, error) {
	if certificate == "" {
		return nil, nil
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM([]byte(certificate)) {
		return nil, errors.New("ca_cert holds no certificate in PEM")
	}
	return roots, nil
}

// vaultFolders makes the places of the templates; the name of the secret stands last in each.
func vaultFolders(c vaultConfig, b engine.Build) ([]string, error) {
	var folders []string
	for _, template := range c.LookupTemplates {
		folder, found := strings.CutSuffix(template, "{{.Secret}}")
		if !found {
			return nil, fmt.Errorf("the lookup template %q does not end in {{.Secret}}", template)
		}
		if strings.Contains(folder, "{{.Pipeline}}") && b.PipelineName == "" {
			continue
		}
		folder = strings.NewReplacer("{{.Team}}", b.TeamName, "{{.Pipeline}}", b.PipelineName).Replace(folder)
		if strings.Contains(folder, "{{") {
			return nil, fmt.Errorf("the lookup template %q has something other than Team, Pipeline and Secret", template)
		}
		folders = append(folders, path.Join("/", c.PathPrefix, folder))
	}
	if c.SharedPath != "" {
		folders = append(folders, path.Join("/", c.PathPrefix, c.SharedPath))
	}
	return append(folders, path.Join("/", c.PathPrefix)), nil
}

func (v *vault) login(ctx context.Context, c vaultConfig) error {
	if c.AuthBackend != "approle" {
		return errors.New("the Vault needs client_token, or auth_backend: approle with auth_params role_id and secret_id")
	}
	body, err := json.Marshal(c.AuthParams)
	if err != nil {
		return err
	}
	var answer struct {
		Auth struct {
			Token string `json:"client_token"`
		} `json:"auth"`
	}
	found, err := v.call(ctx, http.MethodPost, "/auth/approle/login", body, &answer)
	if err == nil && (!found || answer.Auth.Token == "") {
		err = errors.New("the Vault gave no token for the approle")
	}
	v.token = answer.Auth.Token
	return err
}

// Get looks for the secret in each folder. A secret with a field "value" is that
// value, else it is all of its fields.
func (v *vault) Get(ctx context.Context, ref vars.Ref) (any, bool, error) {
	for _, folder := range v.folders {
		data, found, err := v.read(ctx, path.Join(folder, path.Join("/", ref.Path)))
		if err != nil || !found {
			if err != nil {
				return nil, false, err
			}
			continue
		}
		if value, ok := data["value"]; ok && len(ref.Fields) == 0 {
			return value, true, nil
		}
		if value, ok := data["value"].(map[string]any); ok {
			return value, true, nil
		}
		return data, true, nil
	}
	return nil, false, nil
}

// read gives the fields at a path of a mount of either version.
func (v *vault) read(ctx context.Context, at string) (map[string]any, bool, error) {
	mount, rest, _ := strings.Cut(strings.TrimPrefix(at, "/"), "/")
	versioned, err := v.keepsVersions(ctx, mount, at)
	if err != nil {
		return nil, false, err
	}
	if !versioned {
		var answer struct {
			Data map[string]any `json:"data"`
		}
		found, err := v.call(ctx, http.MethodGet, at, nil, &answer)
		return answer.Data, found && answer.Data != nil, err
	}
	var answer struct {
		Data struct {
			Data map[string]any `json:"data"`
		} `json:"data"`
	}
	found, err := v.call(ctx, http.MethodGet, "/"+mount+"/data/"+rest, nil, &answer)
	return answer.Data.Data, found && answer.Data.Data != nil, err
}

// keepsVersions asks once for each mount. A token that may not ask reads as from version 1.
func (v *vault) keepsVersions(ctx context.Context, mount, at string) (bool, error) {
	if known, ok := v.versioned[mount]; ok {
		return known, nil
	}
	var answer struct {
		Data struct {
			Options map[string]string `json:"options"`
		} `json:"data"`
	}
	_, err := v.call(ctx, http.MethodGet, "/sys/internal/ui/mounts"+at, nil, &answer)
	var refused *vaultError
	if err != nil && !(errors.As(err, &refused) && refused.status == http.StatusForbidden) {
		return false, err
	}
	v.versioned[mount] = answer.Data.Options["version"] == "2"
	return v.versioned[mount], nil
}

// vaultError is what a Vault refuses with; its words are shown, and never the request.
type vaultError struct {
	status int
	words  []string
}

func (e *vaultError) Error() string {
	words := strings.Join(e.words, "; ")
	if len(words) > 300 {
		words = words[:300]
	}
	if words == "" {
		return fmt.Sprintf("the Vault answered with status %d", e.status)
	}
	return fmt.Sprintf("the Vault answered with status %d: %s", e.status, strings.ToValidUTF8(words, "?"))
}

// call exchanges JSON; false when there is nothing at the path.
func (v *vault) call(ctx context.Context, method, at string, body []byte, into any) (bool, error) {
	r, err := http.NewRequestWithContext(ctx, method, v.base.JoinPath("v1", at).String(), bytes.NewReader(body))
	if err != nil {
		return false, err
	}
	r.Header.Set("X-Vault-Request", "true")
	for key, value := range map[string]string{"X-Vault-Token": v.token, "X-Vault-Namespace": v.namespace} {
		if value != "" {
			r.Header.Set(key, value)
		}
	}
	res, err := v.client.Do(r)
	if err != nil {
		return false, fmt.Errorf("ask the Vault: %w", err)
	}
	defer res.Body.Close()
	data, err := io.ReadAll(io.LimitReader(res.Body, vaultAnswer))
	switch {
	case err != nil:
		return false, fmt.Errorf("read the Vault's answer: %w", err)
	case res.StatusCode == http.StatusNotFound:
		return false, nil
	case res.StatusCode/100 != 2:
		var said struct {
			Errors []string `json:"errors"`
		}
		// What is no JSON has no words for us.
		_ = json.Unmarshal(data, &said)
		return false, &vaultError{res.StatusCode, said.Errors}
	}
	if err := json.Unmarshal(data, into); err != nil {
		return false, errors.New("the Vault's answer is not JSON")
	}
	return true, nil
}
