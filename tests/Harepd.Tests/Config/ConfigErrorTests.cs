using System.Text;
using Harepd.Config;
using Xunit;

namespace Harepd.Tests.Config;

/// <summary>One test a mistake: the right line, key path and mend.</summary>
public sealed class ConfigErrorTests
{
    /// <summary>A value put in the place of a good one, the key that the error must name, and a word of its mend or problem.</summary>
    public static TheoryData<string, string, string, string> BadValues() => new()
    {
        { "nodeName: \"node_1\"", "nodeName: \"\"", "harepd.nodeName", "empty" },
        { "primaryIP: \"10.0.0.1\"", "primaryIP: \"db1.example\"", "harepd.primaryIP", "not an IP address" },
        { "primaryIP: \"10.0.0.1\"", "primaryIP: \"010.0.0.1\"", "harepd.primaryIP", "unusual spelling" },
        { "primaryIP: \"10.0.0.1\"", "primaryIP: \"0.0.0.0\"", "harepd.primaryIP", "one host" },
        { "primaryIP: \"10.0.0.1\"", "primaryIP: \"10.0.0.1:5432\"", "harepd.primaryIP", "without a port" },
        { "hbaConfig: \"/etc/postgresql/15/main/pg_hba.conf\"", "hbaConfig: \"pg_hba.conf\"", "harepd.hbaConfig", "absolute" },
        { "[\"10.0.0.9\"]", "[\"haproxy.example\"]", "harepd.haproxy.server[0]", "not an IP address" },
        { "[\"10.0.0.9\"]", "[\"10.0.0.9/24\"]", "harepd.haproxy.server[0]", "10.0.0.0/24" },
        { "[\"10.0.0.9\"]", "[\"10.0.0.9/33\"]", "harepd.haproxy.server[0]", "1 to 32" },
        { "[\"10.0.0.9\"]", "[\"0.0.0.0/0\"]", "harepd.haproxy.server[0]", "1 to 32" },
        { "[\"10.0.0.9\"]", "[\"10.0.0.9\", \"10.0.0.9\"]", "harepd.haproxy.server[1]", "twice" },
        { "[\"10.0.0.9\"]", "\"10.0.0.9\"", "harepd.haproxy.server", "list" },
        { "[\"10.0.0.9\"]", "[]", "harepd.haproxy", "haproxy.endpoints" },
        { "{ readWrite: \"harw\" }", "{ readOnly: \"haro\" }", "harepd.haproxy.users.readWrite", "missing" },
        { "{ readWrite: \"harw\" }", "{ readWrite: \"ha\\\"rw\" }", "harepd.haproxy.users.readWrite", "quotes" },
        { "{ readWrite: \"harw\" }", "{ readWrite: \"harw\", readOnly: \"harw\" }", "harepd.haproxy.users.readOnly", "same user" },
        { "  repmgr: { user: \"repmgr\", db: \"repmgr\" }", "", "harepd.repmgr", "failover.manager" },
        { "bindAddress: \"10.0.0.1\"", "bindAddress: \"0.0.0.0\"", "harepd.gRPC.bindAddress", "advertise" },
        { "bindAddress: \"10.0.0.1\"", "bindAddress: \"10.0.0.1\"\n    bindPort: 65536", "harepd.gRPC.bindPort", "1 to 65535" },
        { "bindAddress: \"10.0.0.1\"", "bindAddress: \"10.0.0.1\"\n    bindPort: 0", "harepd.gRPC.bindPort", "1 to 65535" },
        { "bindAddress: \"10.0.0.1\"", "bindAddress: \"10.0.0.1\"\n    bindPort: grpc", "harepd.gRPC.bindPort", "not a port" },
        { "[\"10.0.0.2:10000\"]", "[\"10.0.0.2\"]", "harepd.gRPC.neighbours[0]", "no port" },
        { "[\"10.0.0.2:10000\"]", "[\"fd00::2\"]", "harepd.gRPC.neighbours[0]", "no port" },
        { "[\"10.0.0.2:10000\"]", "[\"http://10.0.0.2:10000/\"]", "harepd.gRPC.neighbours[0]", "without the scheme: 10.0.0.2:10000" },
        { "[\"10.0.0.2:10000\"]", "[\"Node2.example:10000\"]", "harepd.gRPC.neighbours[0]", "write node2.example:10000" },
        { "[\"10.0.0.2:10000\"]", "[\"10.0.0.2:010000\"]", "harepd.gRPC.neighbours[0]", "write 10.0.0.2:10000" },
        { "[\"10.0.0.2:10000\"]", "[\"no de:10000\"]", "harepd.gRPC.neighbours[0]", "neither a host name" },
        { "[\"10.0.0.2:10000\"]", "[\"10.0.0.256:10000\"]", "harepd.gRPC.neighbours[0]", "neither a host name" },
        { "[\"10.0.0.2:10000\"]", "[\"10.0.0.2:10000\", \"10.0.0.2:10000\"]", "harepd.gRPC.neighbours[1]", "twice" },
        { "[\"10.0.0.2:10000\"]", "[\"10.0.0.1:10000\"]", "harepd.gRPC.neighbours", "own address" },
        { "witness: \"10.0.0.3:10000\"", "witness: \"10.0.0.1:10000\"", "harepd.gRPC.witness", "own address" },
        { "witness: \"10.0.0.3:10000\"", "witness: \"10.0.0.2:10000\"", "harepd.gRPC.witness", "neighbours" },
    };

    /// <summary>A line added below "harepd:", the key that the error must name, and a word of it.</summary>
    public static TheoryData<string, string, string> BadLines() => new()
    {
        { "cluster: \"a b\"", "harepd.cluster", "not a name" },
        { "allowRO: yes", "harepd.allowRO", "true" },
        { "allowRO: [true]", "harepd.allowRO", "single value" },
        { "watchDog: 15s", "harepd.watchDog", "without a unit" },
        { "watchDog: 0", "harepd.watchDog", "1 to" },
        { "watchDog: 99999999999999999999", "harepd.watchDog", "1 to" },
        { "authModes: { allow: \"\" }", "harepd.authModes.allow", "empty" },
        { "authModes: { allow: \"reject\" }", "harepd.authModes.allow", "no method" },
        { "authModes: { deny: \"\" }", "harepd.authModes.deny", "empty" },
        { "authModes: { deny: \"md5\" }", "harepd.authModes.deny", "reject" },
        { "pgbouncer: { endpoints: [\"10.0.0.1:6432\"], databases: [a], includeFile: /i }", "harepd.pgbouncer.endpoints[0]", "tcp:10.0.0.1:6432" },
        { "pgbouncer: { endpoints: [\"tcp:db1.example:6432\"], databases: [a], includeFile: /i }", "harepd.pgbouncer.endpoints[0]", "tcp:address:port" },
        { "pgbouncer: { endpoints: [\"unix:/run/pgbouncer\"], databases: [a], includeFile: /i }", "harepd.pgbouncer.endpoints[0]", ".s.PGSQL.6432" },
        { "pgbouncer: { endpoints: [\"tcp:10.0.0.1:6432\"], includeFile: /i }", "harepd.pgbouncer.databases", "missing" },
        { "pgbouncer: { endpoints: [\"tcp:10.0.0.1:6432\"], databases: [a] }", "harepd.pgbouncer.includeFile", "%include" },
        { "pgbouncer: { databases: [pgbouncer] }", "harepd.pgbouncer.databases[0]", "PgBouncer's own" },
        { "pgbouncer: { databases: [\"a host=b\"] }", "harepd.pgbouncer.databases[0]", "itself" },
        { "pgbouncer: { databases: [\"a password=b\"] }", "harepd.pgbouncer.databases[0]", "does not belong" },
        { "pgbouncer: { databases: [\"a pool_size\"] }", "harepd.pgbouncer.databases[0]", "key=value" },
        { "pgbouncer: { databases: [a, \"a pool_size=2\"] }", "harepd.pgbouncer.databases[1]", "twice" },
        { "pgbouncer: { includeFile: harepd.ini }", "harepd.pgbouncer.includeFile", "absolute" },
        { "haproxyy: {}", "harepd.haproxyy", "did you mean haproxy?" },
        { "nodename: x", "harepd.nodename", "did you mean nodeName?" },
        { "zzzzzz: x", "harepd.zzzzzz", "remove it" },
        { "http: 8008", "harepd.http", "group of keys" },
        { "http: { bindPort: 10000 }", "harepd.http.bindPort", "gRPC listener's port" },
        { "http: { agentPort: 10000 }", "harepd.http.agentPort", "port of another listener" },
        { "http: { bindPort: 8008, agentPort: 8008 }", "harepd.http.agentPort", "port of another listener" },
        { "http: { bindPort: 8008, tls: on }", "harepd.http.tls", "without certificates" },
        { "reads: { primary: sometimes }", "harepd.reads.primary", "one of lastResort, always, never" },
        { "lease: { duration: 3 }", "harepd.lease.duration", "3s or 3ms" },
        { "lease: { duration: 3sec }", "harepd.lease.duration", "not a duration" },
        { "lease: { duration: 0.1s }", "harepd.lease.duration", "out of range" },
        { "lease: { duration: 800ms }", "harepd.lease.duration", "stall" },
        { "lease: { duration: 4s }", "harepd.lease.duration", "maxDuration" },
        { "lease: { profile: quick }", "harepd.lease.profile", "one of default, fast" },
        { "lease: { driftPpm: -1 }", "harepd.lease.driftPpm", "1 to" },
        { "reads: { maxLagBytes: 16mb }", "harepd.reads.maxLagBytes", "16MB" },
        { "reads: { maxLagBytes: 16 }", "harepd.reads.maxLagBytes", "not a size" },
        { "fence: { scope: client }", "harepd.fence.scope", "did you mean clients?" },
        { "failover: { manager: patroni }", "harepd.failover.manager", "one of" },
        { "failover: { synchronous: managed }", "harepd.failover.synchronous", "only with failover.manager harepd" },
        { "failover: { manager: harepd, synchronousCount: 0 }", "harepd.failover.synchronousCount", "1" },
        { "postgres: { alarmedPollInterval: 1s, pollInterval: 500ms }", "harepd.postgres.alarmedPollInterval", "slower" },
        { "membership: { epoch: 2 }", "harepd.membership.epoch", "previous" },
        { "membership: { epoch: 2, previous: [] }", "harepd.membership.epoch", "previous" },
        { "membership: { previous: [\"10.0.0.1:10000\"] }", "harepd.membership.previous", "epoch" },
        { "membership: { epoch: 0 }", "harepd.membership.epoch", "1 to" },
        { "stateDir: var/lib", "harepd.stateDir", "absolute" },
        { "logs: { maxAge: 1d }", "harepd.logs.maxAge", "seconds" },
        { "watchDog: 1\nwatchDog: 2", "harepd.watchDog", "twice" },
        { "cluster: &a main", "", "anchors" },
        { "cluster: !!int main", "", "tags" },
    };

    [Theory]
    [MemberData(nameof(BadValues))]
    public void A_bad_value_is_named_with_its_line_and_mend(string good, string bad, string key, string word)
    {
        var text = TemporaryConfig.With(good, bad);

        var error = TemporaryConfig.OneError(text);

        Assert.Equal(key, error.Key);
        Assert.Contains(word, error.ToString(), StringComparison.Ordinal);
        Assert.InRange(error.Line, 1, text.Split('\n').Length);
        Assert.NotEmpty(error.Mend);
    }

    [Theory]
    [MemberData(nameof(BadLines))]
    public void A_bad_line_is_named_with_its_mend(string line, string key, string word)
    {
        var text = TemporaryConfig.Plus(line);

        var error = TemporaryConfig.OneError(text);

        Assert.Equal(key, error.Key);
        Assert.Contains(word, error.ToString(), StringComparison.Ordinal);
        Assert.Equal(TemporaryConfig.Minimal.Split('\n').Length + line.Split('\n').Length, error.Line);
    }

    [Theory]
    [InlineData("10.0.0.9:9999")]
    [InlineData("tcp:10.0.0.9")]
    [InlineData("unix:run/haproxy.sock")]
    [InlineData("udp:10.0.0.9:1")]
    public void A_bad_runtime_endpoint_is_refused(string endpoint)
    {
        var error = TemporaryConfig.OneError(TemporaryConfig.With("server: [\"10.0.0.9\"]", $"endpoints: [\"{endpoint}\"]"));

        Assert.Equal("harepd.haproxy.endpoints[0]", error.Key);
    }

    [Fact]
    public void A_tcp_endpoint_without_its_prefix_is_mended()
    {
        var error = TemporaryConfig.OneError(TemporaryConfig.With("server: [\"10.0.0.9\"]", "endpoints: [\"10.0.0.9:9999\"]"));

        Assert.Equal("tcp:10.0.0.9:9999", error.Mend);
    }

    [Fact]
    public void The_name_of_the_server_that_parks_clients_is_taken()
    {
        var error = TemporaryConfig.OneError(TemporaryConfig.With("server: [\"10.0.0.9\"]", "server: [\"10.0.0.9\"]\n    serverName: hold"));

        Assert.Equal("harepd.haproxy.serverName", error.Key);
    }

    [Fact]
    public void A_node_name_that_haproxy_cannot_have_needs_a_server_name()
    {
        var text = TemporaryConfig.With("node_1", "node 1").Replace("server: [\"10.0.0.9\"]", "endpoints: [\"unix:/s\"]", StringComparison.Ordinal);

        Assert.Equal("harepd.haproxy.serverName", TemporaryConfig.OneError(text).Key);
    }

    [Fact]
    public void Sixteen_members_are_too_many()
    {
        var neighbours = string.Join(", ", Enumerable.Range(2, 14).Select(i => $"\"10.0.1.{i}:10000\""));

        Assert.Equal("harepd.gRPC", TemporaryConfig.OneError(TemporaryConfig.With("\"10.0.0.2:10000\"", neighbours)).Key);
    }

    [Fact]
    public void All_errors_come_at_once_in_the_order_of_the_file()
    {
        var text = TemporaryConfig.With("\"10.0.0.1\"\n  hba", "\"x\"\n  hba") + "\n  watchDog: 0\n  lease: { duration: 3 }\n";

        var errors = TemporaryConfig.Bad(text);

        Assert.Equal(["harepd.primaryIP", "harepd.watchDog", "harepd.lease.duration"], errors.Select(error => error.Key));
        Assert.Equal([3, 13, 14], errors.Select(error => error.Line));
    }

    [Fact]
    public void An_error_prints_file_line_key_value_and_mend()
    {
        using var file = new TemporaryConfig(TemporaryConfig.Plus("gRPCs: 1").Replace("harw", "har\\\"w", StringComparison.Ordinal));

        var errors = Assert.IsType<ConfigResult.Invalid>(ConfigReader.Read(file.File, DaemonMode.Both, TemporaryConfig.Everything)).Errors;

        Assert.Equal(
            $"{file.File}:7: harepd.haproxy.users.readWrite: \"har\"w\": not a PostgreSQL name\n"
            + "    mend: at most 63 bytes, without quotes and control characters",
            errors[0].ToString());
    }

    [Fact]
    public void Control_characters_of_a_value_never_reach_the_terminal()
    {
        var error = TemporaryConfig.OneError(TemporaryConfig.Plus("cluster: \"\\e[31mred\""));

        Assert.DoesNotContain('\u001b', error.ToString());
    }

    [Fact]
    public void The_published_misindented_tls_is_answered_with_its_mend()
    {
        var text = TemporaryConfig.With(
            "    witness:",
            "    tls:\n    enabled: true\n    ca: \"/etc/harepd/ca_cert.pem\"\n    cert: \"/c\"\n    key: \"/k\"\n    witness:");

        var error = TemporaryConfig.OneError(text);

        Assert.Equal("harepd.gRPC.tls", error.Key);
        Assert.Contains("    tls:\n      enabled: true\n      ca: \"/etc/harepd/ca_cert.pem\"\n", error.Mend, StringComparison.Ordinal);
    }

    [Fact]
    public void Tls_files_must_exist_once_tls_is_on()
    {
        var environment = TemporaryConfig.Everything with { FileExists = path => path != "/k" };
        var text = TemporaryConfig.With("    witness:", "    tls: { enabled: true, ca: /ca, key: /k }\n    witness:");

        var errors = TemporaryConfig.Bad(text, environment: environment);

        Assert.Equal(["harepd.gRPC.tls.cert", "harepd.gRPC.tls.key"], errors.Select(error => error.Key).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Client_certificates_need_tls()
    {
        var text = TemporaryConfig.With("    witness:", "    tls: { clientAuth: require }\n    witness:");

        Assert.Equal("harepd.gRPC.tls.clientAuth", TemporaryConfig.OneError(text).Key);
    }

    [Fact]
    public void A_missing_hba_file_is_an_error_on_a_data_node()
    {
        var error = TemporaryConfig.OneError(TemporaryConfig.Minimal, environment: TemporaryConfig.Everything with { FileExists = _ => false });

        Assert.Equal("harepd.hbaConfig", error.Key);
        Assert.Contains("hba_file", error.Mend, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("harepd:\n\tnodeName: x", 2, "tab")]
    [InlineData("", 1, "empty")]
    [InlineData("# only a comment\n", 1, "empty")]
    [InlineData("just text", 1, "a single value")]
    [InlineData("- a\n- b\n", 1, "a list")]
    [InlineData("harepd: [", 2, "not YAML")]
    [InlineData("harepd:\n  a: b: c\n", 2, "not YAML")]
    [InlineData("harepd:\n  a: \"b\n", 3, "not YAML")]
    [InlineData("harepd:\n  a: *x\n", 2, "alias")]
    [InlineData("harepd:\n  a: %x\n", 2, "not YAML")]
    [InlineData("a: {{{{{{{{{{{{{{{{{{{{ }", 1, "nested too deeply")]
    public void What_is_not_yaml_is_answered_with_its_line(string text, int line, string word)
    {
        var errors = TemporaryConfig.Bad(text);

        Assert.Contains(errors, error => error.ToString().Contains(word, StringComparison.Ordinal) && error.Line >= 1 && error.Line <= line);
    }

    [Fact]
    public void A_file_without_harepd_says_so()
    {
        var errors = TemporaryConfig.Bad("harpd:\n  nodeName: x\n");

        Assert.Contains(errors, error => error.Key == "harepd" && error.Problem == "missing");
        Assert.Contains(errors, error => error.Key == "harpd" && error.Mend == "did you mean harepd?");
    }

    [Fact]
    public void A_second_document_is_refused()
    {
        Assert.Contains(TemporaryConfig.Bad(TemporaryConfig.Minimal + "\n---\na: b\n"), error => error.Line == 13);
    }

    [Fact]
    public void Other_encodings_are_refused_with_the_line()
    {
        byte[] latin1 = [.. Encoding.UTF8.GetBytes("harepd:\n  nodeName: \"kn"), 0xF6, .. Encoding.UTF8.GetBytes("del\"\n")];
        using var file = new TemporaryConfig(latin1);

        var error = Assert.Single(Assert.IsType<ConfigResult.Invalid>(ConfigReader.Read(file.File, DaemonMode.Both)).Errors);

        Assert.Equal((2, "not UTF-8"), (error.Line, error.Problem));
    }

    [Fact]
    public void A_byte_order_mark_and_windows_line_ends_are_fine()
    {
        TemporaryConfig.Good("\uFEFF" + TemporaryConfig.Minimal.Replace("\n", "\r\n", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("/nowhere/harepd.yml", "no such")]
    [InlineData("/tmp", "folder")]
    [InlineData("/dev/zero", "256 KiB")]
    public void A_file_that_cannot_be_read_says_why(string path, string word)
    {
        var error = Assert.Single(Assert.IsType<ConfigResult.Invalid>(ConfigReader.Read(path, DaemonMode.Both)).Errors);

        Assert.Contains(word, error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Random_bytes_are_an_error_and_never_an_exception()
    {
        var random = new Random(20261120);
        for (var i = 0; i < 300; i++)
        {
            var bytes = new byte[random.Next(1, 400)];
            random.NextBytes(bytes);
            using var file = new TemporaryConfig(bytes);

            Assert.IsType<ConfigResult.Invalid>(ConfigReader.Read(file.File, DaemonMode.Both));
        }
    }

    [Fact]
    public void Mutilated_files_are_read_or_refused_and_never_an_exception()
    {
        var random = new Random(7);
        const string noise = "{}[]:,\"'#&*!|>-?%@` \n\t\\x0";
        for (var i = 0; i < 2_000; i++)
        {
            var text = new StringBuilder(TemporaryConfig.Minimal);
            for (var hits = random.Next(1, 4); hits > 0; hits--)
            {
                text[random.Next(text.Length)] = noise[random.Next(noise.Length)];
            }

            TemporaryConfig.Read(text.ToString());
        }
    }

    [Fact]
    public void A_file_of_another_kind_does_not_print_thousands_of_errors()
    {
        var text = TemporaryConfig.Plus(string.Join('\n', Enumerable.Range(0, 1000).Select(i => $"key{i}: {i}")));

        Assert.Equal(100, TemporaryConfig.Bad(text).Length);
    }
}
