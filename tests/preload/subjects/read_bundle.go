// Reads bundles with Go's own zip and JSON: prints the names of the entries, and
// fails where an entry cannot be read or has no name that Go unescapes.
package main

import (
	"archive/zip"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/url"
	"os"
)

func main() {
	for _, path := range os.Args[1:] {
		archive, err := zip.OpenReader(path)
		if err != nil {
			log.Fatal(err)
		}
		for _, file := range archive.File {
			name, err := url.PathUnescape(file.Name)
			if err != nil {
				log.Fatal(err)
			}
			reader, err := file.Open()
			if err != nil {
				log.Fatal(err)
			}
			// The checksum is compared at the end.
			content, err := io.ReadAll(reader)
			if err != nil {
				log.Fatal(file.Name, err)
			}
			if file.Name == "meta" {
				var meta struct {
					Main   string `json:"main"`
					ProcID string `json:"proc_id"`
				}
				if err := json.Unmarshal(content, &meta); err != nil {
					log.Fatal(err)
				}
				fmt.Println(meta.Main, meta.ProcID)
			}
			fmt.Println(name, len(content) > 0, file.Method == zip.Store)
		}
	}
}
