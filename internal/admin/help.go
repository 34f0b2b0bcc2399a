package admin

import "fmt"

// helpJSON is a row of the table in JSON.
type helpJSON struct {
	Name  string `json:"name"`
	Usage string `json:"usage"`
	Also  string `json:"also,omitempty"`
	Short string `json:"short"`
	Long  string `json:"long,omitempty"`
}

func (c *command) describe() helpJSON {
	return helpJSON{c.name, c.usage(), c.also, c.short, c.long}
}

func help(c *call) (answer, error) {
	if len(c.args) > 0 {
		row, err := named(c.args[0])
		if err != nil {
			return answer{}, err
		}
		text := fmt.Sprintf("%s\n%s\n", row.usage(), row.short)
		if row.long != "" {
			text += row.long + "\n"
		}
		return answer{text, row.describe()}, nil
	}
	var rows []helpJSON
	for _, row := range commands() {
		rows = append(rows, row.describe())
	}
	return answer{Overview(), map[string][]helpJSON{"commands": rows}}, nil
}
