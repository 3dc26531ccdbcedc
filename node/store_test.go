package node

import "testing"

// TestStoreIsAnAddressWithoutAPassword: one server or several that fail over, and
// no secret on the way into scheme.json, however it is spelled.
func TestStoreIsAnAddressWithoutAPassword(t *testing.T) {
	for _, dsn := range []string{
		"",
		"postgres://jiaozi@db.example/jiaozi",
		"postgresql://jiaozi@10.0.0.1:5432/jiaozi?sslmode=verify-full",
		"postgres:///jiaozi?host=/run/postgresql",
		"postgres://jiaozi@10.0.0.1:5432,10.0.0.2:5432/jiaozi?target_session_attrs=read-write&connect_timeout=5",
		"postgres://jiaozi@db1.example,db2.example/jiaozi?target_session_attrs=read-write",
	} {
		if err := checkStore(dsn); err != nil {
			t.Errorf("%s: %v", dsn, err)
		}
	}
	for _, dsn := range []string{
		"mysql://jiaozi@10.0.0.1/jiaozi",
		"host=10.0.0.1 dbname=jiaozi",
		"10.0.0.1:5432,10.0.0.2:5432",
		"postgres://jiaozi:secret@10.0.0.1/jiaozi",
		"postgres://jiaozi:secret@10.0.0.1:5432,10.0.0.2:5432/jiaozi",
		"postgres://jiaozi:@10.0.0.1/jiaozi",
		"postgres://jiaozi@10.0.0.1:5432,10.0.0.2:5432/jiaozi?password=secret",
		"postgres://jiaozi@10.0.0.1/jiaozi?p%61ssword=secret",
		"postgres://jiaozi@10.0.0.1/jiaozi?sslpassword=secret",
		"postgres://jiaozi@10.0.0.1/jiaozi?a=%zz",
		"postgres://jiaozi@10.0.0.1:54x2/jiaozi",
	} {
		if checkStore(dsn) == nil {
			t.Errorf("accepted: %s", dsn)
		}
	}
}
