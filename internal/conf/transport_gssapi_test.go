package conf

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	krb "github.com/jcmturner/gokrb5/v8/gssapi"
	"github.com/jcmturner/gokrb5/v8/iana/keyusage"
	"github.com/jcmturner/gokrb5/v8/keytab"
	"github.com/jcmturner/gokrb5/v8/messages"
	"github.com/jcmturner/gokrb5/v8/service"
)

func TestGSSAPINeedsAKeytab(t *testing.T) {
	garbage := write(t, filepath.Join(t.TempDir(), "garbage.keytab"), []byte("garbage"))
	short := write(t, filepath.Join(t.TempDir(), "short.keytab"), []byte{5, 2, 0, 0, 0, 40, 0, 1, 0, 4, 'T'})
	for _, path := range []string{"", "/nonexistent", garbage, short, t.TempDir()} {
		c := New()
		for name, text := range map[string]string{"security.protocol": "sasl_plaintext", "sasl.kerberos.keytab": path} {
			if err := c.Set(name, text); err != nil {
				t.Fatal(err)
			}
		}
		if _, _, err := c.Finalize(1); err == nil || !strings.HasPrefix(err.Error(), "No provider for SASL mechanism GSSAPI") {
			t.Errorf("with %q: %v", path, err)
		}
	}
}

// kdc is a realm of MIT Kerberos that lives as long as the test.
type kdc struct {
	dir string
	env []string
}

// tool finds a program of MIT Kerberos, which is for administrators and often not in the path.
func tool(t *testing.T, name string) string {
	t.Helper()
	for _, path := range []string{name, "/usr/sbin/" + name, "/sbin/" + name} {
		if found, err := exec.LookPath(path); err == nil {
			return found
		}
	}
	t.Skipf("%s is not installed: the packages krb5-kdc and krb5-admin-server have it", name)
	return ""
}

func newKDC(t *testing.T) *kdc {
	t.Helper()
	for range 5 {
		if k := startKDC(t); k != nil {
			return k
		}
	}
	t.Fatal("no KDC answers")
	return nil
}

// startKDC returns nil when the KDC has ended: another program may have taken its port meanwhile.
func startKDC(t *testing.T) *kdc {
	t.Helper()
	server := tool(t, "krb5kdc")
	reserved, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := reserved.Addr().(*net.TCPAddr).Port
	reserved.Close()
	k := &kdc{dir: t.TempDir()}
	realms := write(t, filepath.Join(k.dir, "krb5.conf"), fmt.Appendf(nil,
		"[libdefaults]\ndefault_realm = TEST\ndns_lookup_kdc = false\nudp_preference_limit = 1\n[realms]\nTEST = {\nkdc = 127.0.0.1:%d\n}\n", port))
	settings := write(t, filepath.Join(k.dir, "kdc.conf"), fmt.Appendf(nil,
		"[kdcdefaults]\nkdc_listen = 127.0.0.1:%[2]d\nkdc_tcp_listen = 127.0.0.1:%[2]d\n[realms]\nTEST = {\ndatabase_name = %[1]s/principal\nkey_stash_file = %[1]s/stash\n}\n",
		k.dir, port))
	k.env = append(os.Environ(), "KRB5_CONFIG="+realms, "KRB5_KDC_PROFILE="+settings)
	t.Setenv("KRB5_CONFIG", realms)
	k.run(t, tool(t, "kdb5_util"), "create", "-s", "-r", "TEST", "-P", "master")
	run := exec.Command(server, "-n")
	run.Env = k.env
	if err := run.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = run.Wait() // it was killed, and says so
	}()
	t.Cleanup(func() {
		_ = run.Process.Kill() // it may have ended
		<-ended
	})
	look := time.NewTicker(10 * time.Millisecond)
	defer look.Stop()
	for deadline := time.After(time.Minute); ; {
		if conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port)); err == nil {
			conn.Close()
			return k
		}
		select {
		case <-look.C:
		case <-ended:
			return nil
		case <-deadline:
			t.Fatal("the KDC does not answer")
		}
	}
}

func (k *kdc) run(t *testing.T, name string, args ...string) {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Env = k.env
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s %q: %v\n%s", name, args, err, out)
	}
}

// principal makes a principal and returns its keytab.
func (k *kdc) principal(t *testing.T, name string) string {
	t.Helper()
	path := filepath.Join(k.dir, hex.EncodeToString([]byte(name))+".keytab")
	admin := tool(t, "kadmin.local")
	k.run(t, admin, "-q", "addprinc -randkey "+name)
	k.run(t, admin, "-q", "ktadd -k "+path+" "+name)
	return path
}

// TestGSSAPI takes a ticket from a real KDC and shows it to what a broker does with it.
func TestGSSAPI(t *testing.T) {
	k := newKDC(t)
	mine, broker := k.principal(t, "halon/mail.test"), k.principal(t, "kafka/broker.test")
	s := settingsFor(t, "security.protocol", "sasl_plaintext", "sasl.mechanism", "GSSAPI", "sasl.kerberos.keytab", mine,
		"sasl.kerberos.principal", "halon/mail.test@TEST")
	session, first, err := s.mechanism(credentials{conf: s.conf}).Authenticate(t.Context(), "broker.test:9092")
	if err != nil {
		t.Fatal(err)
	}
	// The token is an AP-REQ behind the object identifier of Kerberos and two bytes.
	_, token, found := bytes.Cut(first, []byte{0x12, 0x01, 0x02, 0x02, 0x01, 0x00})
	var request messages.APReq
	if err := request.Unmarshal(token); err != nil || !found {
		t.Fatal(err)
	}
	keys, err := keytab.Load(broker)
	if err != nil {
		t.Fatal(err)
	}
	ok, who, err := service.VerifyAPREQ(&request, service.NewSettings(keys, service.DecodePAC(false)))
	if err != nil || !ok || who.UserName() != "halon/mail.test" || who.Domain() != "TEST" {
		t.Fatalf("the broker sees %v: %v", who, err)
	}
	key := request.Ticket.DecryptedEncPart.Key
	layers := []byte{1, 0, 0, 0} // no security layer
	const fromAcceptor = 1
	offer := krb.WrapToken{Flags: fromAcceptor, EC: 12, Payload: layers}
	if err := offer.SetCheckSum(key, keyusage.GSSAPI_ACCEPTOR_SEAL); err != nil {
		t.Fatal(err)
	}
	challenge, err := offer.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	done, response, err := session.Challenge(challenge)
	if err != nil || !done {
		t.Fatal(done, err)
	}
	var answer krb.WrapToken
	if err := answer.Unmarshal(response, false); err != nil {
		t.Fatal(err)
	}
	if ok, err := answer.Verify(key, keyusage.GSSAPI_INITIATOR_SEAL); !ok || !bytes.Equal(answer.Payload, layers) {
		t.Errorf("answer %v %v", answer.Payload, err)
	}
}

func TestGSSAPIWithAnotherKeytab(t *testing.T) {
	k := newKDC(t)
	other := k.principal(t, "other")
	s := settingsFor(t, "security.protocol", "sasl_plaintext", "sasl.mechanism", "GSSAPI", "sasl.kerberos.keytab", other)
	if _, _, err := s.mechanism(credentials{conf: s.conf}).Authenticate(t.Context(), "broker.test:9092"); err == nil {
		t.Error("the keytab of another principal is enough")
	}
}
