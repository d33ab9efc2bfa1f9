package engine

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/signalbox/signalbox/server/ci/resource"
)

// kindOfType is the part of a key that says which program fetches: the name of a type
// of the server's own, or the image of a custom one. The name of a custom type does not
// matter, so pipelines that call the same image differently share what it fetched.
func kindOfType(baseType string, image fetchedImage) string {
	if image.Cache != "" {
		return "image:" + string(image.Cache)
	}
	return "type:" + baseType
}

// cacheKey identifies a fetched version.
func cacheKey(kind string, source, params map[string]any, version resource.Version) (CacheKey, error) {
	key, err := digest(kind, source, nonEmpty(params), version)
	return CacheKey(key), err
}

// configKey identifies what is checked.
func configKey(kind string, source map[string]any) (string, error) {
	return digest(kind, source)
}

// nonEmpty makes no params and empty params the same.
func nonEmpty(params map[string]any) map[string]any {
	if len(params) == 0 {
		return nil
	}
	return params
}

// digest hashes the parts as JSON, whose maps are sorted by key.
func digest(parts ...any) (string, error) {
	data, err := json.Marshal(parts)
	if err != nil {
		return "", fmt.Errorf("encode a key: %w", err)
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:]), nil
}

// decodeNumbers decodes JSON and keeps numbers as they were written.
func decodeNumbers(data []byte, out any) error {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	return decoder.Decode(out)
}
