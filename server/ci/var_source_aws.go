package ci

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	secretstypes "github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/signalbox/signalbox/server/ci/engine"
	"github.com/signalbox/signalbox/server/ci/vars"
	"github.com/signalbox/signalbox/server/platform/outbound"
)

const awsTimeout = 20 * time.Second

// awsConfig has Concourse's keys, and an endpoint for what speaks the same protocol.
type awsConfig struct {
	AccessKey        string `json:"access_key"`
	SecretKey        string `json:"secret_key"`
	SessionToken     string `json:"session_token"`
	Region           string `json:"region"`
	PipelineTemplate string `json:"pipeline_secret_template"`
	TeamTemplate     string `json:"team_secret_template"`
	SharedTemplate   string `json:"shared_secret_template"`
	SharedPath       string `json:"shared_path"`
	Endpoint         string `json:"endpoint"`
}

// awsVars looks a name up in the places of its templates; read answers for one place.
type awsVars struct {
	templates []string
	read      func(ctx context.Context, place string) (value any, found bool, err error)
}

// Get takes the first place that has the name.
func (v awsVars) Get(ctx context.Context, ref vars.Ref) (any, bool, error) {
	for _, template := range v.templates {
		place := strings.ReplaceAll(template, "{{.Secret}}", ref.Path)
		value, found, err := v.read(ctx, place)
		if err != nil {
			return nil, false, fmt.Errorf("read %s: %w", place, err)
		}
		if found {
			return value, true, nil
		}
	}
	return nil, false, nil
}

// openAWS opens the Parameter Store or the Secrets Manager. Only keys in the config are
// used: a pipeline must not act as the machine that the server runs on.
func (s *Service) openAWS(kind string, b engine.Build, config any) (vars.Lookup, error) {
	c := awsConfig{PipelineTemplate: "/concourse/{{.Team}}/{{.Pipeline}}/{{.Secret}}", TeamTemplate: "/concourse/{{.Team}}/{{.Secret}}"}
	if kind == "secretsmanager" {
		c.SharedTemplate = "/concourse/{{.Secret}}"
	}
	if err := readConfig(config, &c); err != nil {
		return nil, err
	}
	switch {
	case c.Region == "":
		return nil, errors.New("it needs a region, such as eu-central-1")
	case c.AccessKey == "" || c.SecretKey == "":
		return nil, errors.New("it needs access_key and secret_key; the rights of the server's own machine are not lent to pipelines")
	case s.deps.Dial == nil:
		return nil, errors.New("this server makes no outgoing calls")
	}
	base := aws.Config{Region: c.Region, Credentials: credentials.NewStaticCredentialsProvider(c.AccessKey, c.SecretKey, c.SessionToken),
		HTTPClient: &http.Client{Timeout: awsTimeout, Transport: &http.Transport{DialContext: s.deps.Dial, DisableKeepAlives: true}}}
	if c.Endpoint != "" {
		if _, err := outbound.CheckURL(c.Endpoint); err != nil {
			return nil, fmt.Errorf("the endpoint is not usable: %w", err)
		}
		base.BaseEndpoint = &c.Endpoint
	}
	v := awsVars{read: parameterStore(base)}
	if kind == "secretsmanager" {
		v.read = secretsManager(base)
	}
	var err error
	v.templates, err = awsPlaces(c, b)
	return v, err
}

// awsPlaces are the templates with everything but the secret filled in, in their order.
func awsPlaces(c awsConfig, b engine.Build) ([]string, error) {
	templates := []string{c.TeamTemplate}
	if b.PipelineName != "" {
		templates = []string{c.PipelineTemplate, c.TeamTemplate}
	}
	if c.SharedTemplate != "" {
		templates = append(templates, c.SharedTemplate)
	}
	for i, template := range templates {
		templates[i] = strings.NewReplacer("{{.Team}}", b.TeamName, "{{.Pipeline}}", b.PipelineName).Replace(template)
		if rest := strings.ReplaceAll(templates[i], "{{.Secret}}", ""); strings.Contains(rest, "{{") || rest == templates[i] {
			return nil, fmt.Errorf("the template %q must have {{.Secret}}, and nothing else in braces but {{.Team}} and {{.Pipeline}}", template)
		}
	}
	if c.SharedPath != "" {
		templates = append(templates, strings.TrimSuffix(c.SharedPath, "/")+"/{{.Secret}}")
	}
	return templates, nil
}

// parameterStore reads a parameter, or all below a path as the fields of a value.
func parameterStore(base aws.Config) func(context.Context, string) (any, bool, error) {
	client := ssm.NewFromConfig(base)
	return func(ctx context.Context, place string) (any, bool, error) {
		decrypt := true
		one, err := client.GetParameter(ctx, &ssm.GetParameterInput{Name: &place, WithDecryption: &decrypt})
		var missing *ssmtypes.ParameterNotFound
		if err == nil {
			return aws.ToString(one.Parameter.Value), true, nil
		}
		if !errors.As(err, &missing) {
			return nil, false, err
		}
		fields := map[string]any{}
		pages := ssm.NewGetParametersByPathPaginator(client, &ssm.GetParametersByPathInput{Path: &place, WithDecryption: &decrypt})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				return nil, false, err
			}
			for _, p := range page.Parameters {
				fields[strings.TrimPrefix(strings.TrimPrefix(aws.ToString(p.Name), place), "/")] = aws.ToString(p.Value)
			}
		}
		return fields, len(fields) > 0, nil
	}
}

// secretsManager reads a secret; one that is a JSON object has fields.
func secretsManager(base aws.Config) func(context.Context, string) (any, bool, error) {
	client := secretsmanager.NewFromConfig(base)
	return func(ctx context.Context, place string) (any, bool, error) {
		secret, err := client.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &place})
		var missing *secretstypes.ResourceNotFoundException
		if errors.As(err, &missing) {
			return nil, false, nil
		}
		if err != nil {
			return nil, false, err
		}
		if secret.SecretString == nil {
			return string(secret.SecretBinary), true, nil
		}
		var fields map[string]any
		if json.Unmarshal([]byte(*secret.SecretString), &fields) == nil && fields != nil {
			return fields, true, nil
		}
		return *secret.SecretString, true, nil
	}
}
