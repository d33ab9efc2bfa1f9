package build

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/signalbox/signalbox/agents/bundle"
)

// The part of CycloneDX 1.6 that a list of packages needs.
type (
	cdxList struct {
		Format   string         `json:"bomFormat"`
		Spec     string         `json:"specVersion"`
		Serial   string         `json:"serialNumber"`
		Version  int            `json:"version"`
		Metadata cdxMetadata    `json:"metadata"`
		Parts    []cdxComponent `json:"components"`
	}
	cdxMetadata struct {
		Time      string       `json:"timestamp"`
		Component cdxComponent `json:"component"`
	}
	cdxComponent struct {
		Type       string        `json:"type"`
		Ref        string        `json:"bom-ref"`
		Name       string        `json:"name"`
		Version    string        `json:"version"`
		Hashes     []cdxHash     `json:"hashes,omitempty"`
		PURL       string        `json:"purl,omitempty"`
		Properties []cdxProperty `json:"properties,omitempty"`
	}
	cdxHash struct {
		Alg     string `json:"alg"`
		Content string `json:"content"`
	}
	cdxProperty struct {
		Name  string `json:"name"`
		Value string `json:"value"`
	}
)

// componentList is the bundle's packages as a CycloneDX list. Its serial number comes from
// what is in it, where others are random.
func componentList(m *bundle.Manifest) ([]byte, error) {
	list := cdxList{Format: "CycloneDX", Spec: "1.6", Version: 1, Parts: []cdxComponent{}, Metadata: cdxMetadata{
		Time:      m.Created.Format(time.RFC3339),
		Component: cdxComponent{Type: "application", Ref: "bundle", Name: m.BundleID, Version: fmt.Sprint(m.Version)},
	}}
	seen := map[string]bool{}
	for _, v := range m.Variants {
		for _, p := range v.Packages {
			c := component(v, p)
			if seen[c.Ref] {
				continue
			}
			seen[c.Ref] = true
			list.Parts = append(list.Parts, c)
		}
	}
	parts, err := json.Marshal(list)
	if err != nil {
		return nil, err
	}
	id := []byte(hexSum(parts))[:32]
	id[12], id[16] = '5', '8' // a name-based UUID by its marks
	list.Serial = fmt.Sprintf("urn:uuid:%s-%s-%s-%s-%s", id[:8], id[8:12], id[12:16], id[16:20], id[20:])
	out, err := json.MarshalIndent(list, "", "  ")
	return append(out, '\n'), err
}

func component(v bundle.Variant, p bundle.Package) cdxComponent {
	c := cdxComponent{Type: "library", Name: p.Name, Version: p.Version, PURL: packageURL(v, p),
		Hashes: []cdxHash{{Alg: "SHA-256", Content: p.SHA256}}, Properties: []cdxProperty{{Name: "signalbox:variant", Value: v.Name()}}}
	c.Ref = c.PURL
	if p.Source != "" {
		c.Properties = append(c.Properties, cdxProperty{Name: "signalbox:source", Value: p.Source})
	}
	return c
}

// packageURL names a package as scanners of vulnerabilities do.
func packageURL(v bundle.Variant, p bundle.Package) string {
	kind, version, rest := "deb", p.Version, "arch="+p.Arch
	if v.PackageSystem == bundle.RPM {
		kind = "rpm"
		if epoch, plain, found := strings.Cut(version, ":"); found {
			version, rest = plain, rest+"&epoch="+epoch
		}
	}
	distro := v.OSID + "-" + v.VersionID
	return "pkg:" + kind + "/" + strings.ToLower(v.OSID) + "/" + escape(p.Name) + "@" + escape(version) + "?" + rest + "&distro=" + escape(distro)
}

// escape leaves what package URLs leave.
func escape(s string) string {
	return strings.ReplaceAll(strings.ReplaceAll(url.PathEscape(s), ":", "%3A"), "+", "%2B")
}
