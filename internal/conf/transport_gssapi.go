package conf

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/jcmturner/gokrb5/v8/client"
	"github.com/jcmturner/gokrb5/v8/config"
	"github.com/jcmturner/gokrb5/v8/keytab"
	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/kerberos"
)

// defaultKrb5 is where the Kerberos libraries of the system read their configuration.
const defaultKrb5 = "/etc/krb5.conf"

// gssapi logs in with Kerberos and the keytab of sasl.kerberos.keytab. Each login reads the keytab
// and the configuration of the system and takes a ticket for itself, so a new keytab counts at once
// and nothing runs in between.
//
// Compat: librdkafka runs sasl.kerberos.kinit.cmd and uses the ticket cache that it fills. Here the
// process takes its ticket itself and runs no command.
func gssapi(c credentials) sasl.Mechanism {
	return kerberos.Kerberos(func(context.Context) (kerberos.Auth, error) {
		login, err := kerberosClient(c.conf)
		if err != nil {
			return kerberos.Auth{}, err
		}
		return kerberos.Auth{Client: login, Service: c.conf.text("sasl.kerberos.service.name")}, nil
	})
}

func kerberosClient(c *Conf) (*client.Client, error) {
	keys, err := loadKeytab(c.text("sasl.kerberos.keytab"))
	if err != nil {
		return nil, err
	}
	path, _, _ := strings.Cut(cmp.Or(os.Getenv("KRB5_CONFIG"), defaultKrb5), ":")
	realms, err := config.Load(path)
	if err != nil {
		return nil, fmt.Errorf("the Kerberos configuration %s: %w", path, err)
	}
	name, realm, found := strings.Cut(c.text("sasl.kerberos.principal"), "@")
	if !found {
		realm = realms.LibDefaults.DefaultRealm
	}
	return client.NewWithKeytab(name, realm, keys, realms, client.DisablePAFXFAST(true)), nil
}

func loadKeytab(path string) (keys *keytab.Keytab, err error) {
	data, err := readFile(path)
	if err != nil {
		return nil, fmt.Errorf("sasl.kerberos.keytab: %w", err)
	}
	// The reader runs over the end of a keytab that was cut short.
	defer func() {
		if recover() != nil {
			keys, err = nil, fmt.Errorf("sasl.kerberos.keytab: %s is cut short", path)
		}
	}()
	keys = keytab.New()
	if err := keys.Unmarshal(data); err != nil {
		return nil, fmt.Errorf("sasl.kerberos.keytab: %s is not a keytab", path)
	}
	return keys, nil
}
