package ci

import (
	"context"

	"github.com/signalbox/signalbox/server/platform/api"
)

// keyRoutes are where verifiers of our tokens find the public keys.
func (s *Service) keyRoutes(r api.Router) {
	why := "clouds fetch the keys to verify tokens with"
	r.GET("/.well-known/jwks.json", api.Public(why), api.Handle(s.httpKeys))
	r.GET("/.well-known/openid-configuration", api.Public(why), api.Handle(s.httpDiscovery))
}

type keySet struct {
	Keys []map[string]string `json:"keys"`
}

// httpKeys makes the keys if there are none, so that a verifier may be set up before the first build.
func (s *Service) httpKeys(ctx context.Context, _ api.Nothing) (keySet, error) {
	out := keySet{Keys: []map[string]string{}}
	if s.deps.Sealer == nil {
		return out, nil
	}
	for _, algorithm := range []string{rs256, es256} {
		key, err := s.signingKey(ctx, algorithm)
		if err != nil {
			return out, err
		}
		public, err := key.publicKey()
		if err != nil {
			return out, err
		}
		out.Keys = append(out.Keys, public)
	}
	return out, nil
}

type discovery struct {
	Issuer     string   `json:"issuer"`
	Keys       string   `json:"jwks_uri"`
	Responses  []string `json:"response_types_supported"`
	Subjects   []string `json:"subject_types_supported"`
	Algorithms []string `json:"id_token_signing_alg_values_supported"`
	Claims     []string `json:"claims_supported"`
}

func (s *Service) httpDiscovery(context.Context, api.Nothing) (discovery, error) {
	return discovery{Issuer: s.publicURL(), Keys: s.publicURL() + "/.well-known/jwks.json", Responses: []string{"id_token"}, Subjects: []string{"public"},
		Algorithms: []string{rs256, es256}, Claims: []string{"aud", "exp", "iat", "iss", "sub", "team", "pipeline", "job", "instance_vars"}}, nil
}
