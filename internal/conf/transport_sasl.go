package conf

import "github.com/twmb/franz-go/pkg/kgo"

func (s *Settings) mechanism() []kgo.Opt { return nil }
