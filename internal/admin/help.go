package admin

import (
	"fmt"

	"github.com/halon-extras/kafka/internal/nearest"
)

// helpJSON is a row of the table in JSON.
type helpJSON struct {
	Name  string `json:"name"`
	Usage string `json:"usage"`
	Also  string `json:"also,omitempty"`
	Short string `json:"short"`
	Long  string `json:"long,omitempty"`
}

func help(c *call) (answer, error) {
	var rows []helpJSON
	for _, row := range commands() {
		one := helpJSON{row.name, row.usage(), row.also, row.short, row.long}
		if len(c.args) > 0 && (c.args[0] == row.name || row.also != "" && c.args[0] == row.also) {
			text := fmt.Sprintf("%s\n%s\n", one.Usage, one.Short)
			if one.Long != "" {
				text += one.Long + "\n"
			}
			return answer{text, one}, nil
		}
		rows = append(rows, one)
	}
	if len(c.args) > 0 {
		return answer{}, fmt.Errorf("there is no command %q%s\n%s", c.args[0], nearest.Meant(c.args[0], names()), Overview())
	}
	return answer{Overview(), map[string][]helpJSON{"commands": rows}}, nil
}
