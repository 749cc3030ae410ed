// Counts the words of the standard input.
package main

import (
	"bufio"
	"fmt"
	"os"
	"sort"
)

func main() {
	words := map[string]int{}
	scanner := bufio.NewScanner(os.Stdin)
	scanner.Split(bufio.ScanWords)
	for scanner.Scan() {
		words[scanner.Text()]++
	}
	keys := []string{}
	for word := range words {
		keys = append(keys, word)
	}
	sort.Strings(keys)
	for _, word := range keys {
		fmt.Println(word, words[word])
	}
}
