module example.org/shop

go 1.26

toolchain go1.26.1

require github.com/gin-gonic/gin v1.12.0
require (
	golang.org/x/crypto v0.40.0 // indirect
	"gopkg.in/yaml.v3" v3.0.1
	example.org/shop/local v0.0.0
	example.org/fork v1.0.0
	example.org/pinned v1.0.0
)

replace example.org/shop/local => ./local

replace (
	example.org/fork v1.0.0 => example.org/ours/fork v1.0.1
	example.org/pinned => example.org/pinned v0.9.0
)

exclude example.org/bad v1.0.0
