// Command halon-kafka is the operator's program: it checks a configuration before the mail server meets it,
// tells what each property means, asks the cluster whether it can be reached, and looks after spools. See package
// operator.
package main

import (
	"context"
	"os"

	"github.com/halon-extras/kafka/internal/operator"
)

func main() {
	os.Exit(operator.Run(context.Background(), os.Args[1:], operator.Terminal{In: os.Stdin, Out: os.Stdout, Err: os.Stderr}))
}
