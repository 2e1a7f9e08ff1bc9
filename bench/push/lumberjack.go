// Sends the lines of a file by Elastic's own Lumberjack client, again after every failure, until all are acknowledged.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/elastic/go-lumber/client/v2"
)

func main() {
	address, file := os.Args[1], os.Args[2]
	in, err := os.Open(file)
	if err != nil {
		panic(err)
	}
	lines := bufio.NewScanner(in)
	lines.Buffer(make([]byte, 1<<20), 1<<20)
	var batch []interface{}
	var client *v2.SyncClient
	sent, failures := 0, 0
	send := func() {
		for {
			if client == nil {
				client, err = v2.SyncDial(address, v2.CompressionLevel(3), v2.Timeout(30*time.Second))
				if err != nil {
					client = nil
					failures++
					time.Sleep(50 * time.Millisecond)
					continue
				}
			}
			n, err := client.Send(batch)
			if err == nil && n == len(batch) {
				sent += n
				batch = batch[:0]
				return
			}
			failures++
			client.Close()
			client = nil
			time.Sleep(50 * time.Millisecond)
		}
	}
	for lines.Scan() {
		batch = append(batch, json.RawMessage(append([]byte(nil), lines.Bytes()...)))
		if len(batch) == 500 {
			send()
		}
	}
	if len(batch) > 0 {
		send()
	}
	fmt.Printf("acknowledged %d, failures %d\n", sent, failures)
}
