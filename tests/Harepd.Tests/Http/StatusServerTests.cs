using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Harepd.History;
using Harepd.Http;
using Harepd.Tests.Haproxy;
using Xunit;

namespace Harepd.Tests.Http;

public sealed class StatusServerTests : IAsyncLifetime, IDisposable
{
    private readonly HttpClient _client = new();
    private NodeStatus? _status = Statuses.Primary(Statuses.At());
    private StatusServer _server = null!;

    public async Task InitializeAsync()
    {
        _server = await StatusServer.StartAsync(
            new StatusServerOptions { EndPoint = new IPEndPoint(TestNet.Address(), 0), HeartbeatLimit = TimeSpan.FromHours(1) }, () => _status, CancellationToken.None);
        _client.BaseAddress = new Uri($"http://{_server.EndPoint}");
    }

    public async Task DisposeAsync() => await _server.DisposeAsync();

    public void Dispose() => _client.Dispose();

    [Theory]
    [InlineData("GET", "/primary", 200)]
    [InlineData("HEAD", "/primary", 200)]
    [InlineData("OPTIONS", "/", 200)]
    [InlineData("GET", "/replica", 503)]
    [InlineData("HEAD", "/replica?lag=16MB", 503)]
    [InlineData("OPTIONS", "/replica", 503)]
    [InlineData("GET", "/patroni", 200)]
    [InlineData("GET", "/cluster", 200)]
    [InlineData("GET", "/history", 200)]
    [InlineData("GET", "/config", 200)]
    [InlineData("GET", "/metrics", 200)]
    [InlineData("GET", "/liveness", 200)]
    [InlineData("GET", "/readiness?mode=apply", 200)]
    [InlineData("GET", "/%2e%2e/etc/passwd", 503)]
    [InlineData("POST", "/switchover", 405)]
    [InlineData("PATCH", "/config", 405)]
    [InlineData("DELETE", "/restart", 405)]
    public async Task Codes_are_as_load_balancers_expect(string method, string path, int code)
    {
        _status = _status! with { LeaseDeadline = Core.Model.Instant.Forever };
        using var request = new HttpRequestMessage(new HttpMethod(method), path);

        using var response = await _client.SendAsync(request);

        Assert.Equal(code, (int)response.StatusCode);
        Assert.Equal(method == "GET" && path is not ("/liveness" or "/readiness?mode=apply"), (await response.Content.ReadAsByteArrayAsync()).Length > 0);
    }

    [Fact]
    public async Task The_node_tells_itself_in_patronis_words()
    {
        using var json = JsonDocument.Parse(await _client.GetStringAsync("/patroni"));

        var root = json.RootElement;
        Assert.Equal("running", root.GetProperty("state").GetString());
        Assert.Equal("primary", root.GetProperty("role").GetString());
        Assert.Equal("2026-11-20 12:00:01.123000+00:00", root.GetProperty("postmaster_start_time").GetString());
        Assert.Equal(150020, root.GetProperty("server_version").GetInt32());
        Assert.Equal(2, root.GetProperty("timeline").GetInt32());
        Assert.Equal(0x3000148, root.GetProperty("xlog").GetProperty("location").GetInt64());
        Assert.Equal("7318294758293847561", root.GetProperty("database_system_identifier").GetString());
        Assert.Equal("node_2", root.GetProperty("replication")[0].GetProperty("application_name").GetString());
        Assert.Equal(("shop", "node_1"), (root.GetProperty("patroni").GetProperty("scope").GetString(), root.GetProperty("patroni").GetProperty("name").GetString()));
        Assert.Matches(@"^\d+\.\d+\.\d+$", root.GetProperty("patroni").GetProperty("version").GetString());
        Assert.False(root.TryGetProperty("pause", out _));
        Assert.False(root.TryGetProperty("cluster_unlocked", out _));
        Assert.False(root.TryGetProperty("sync_standby", out _));
    }

    [Fact]
    public async Task A_standby_tells_what_it_received_and_whether_it_is_synchronous()
    {
        _status = Statuses.Standby(Statuses.At()) with { IsSynchronous = true, IsPaused = true, HolderName = "" };

        using var response = await _client.GetAsync("/replica");
        using var json = JsonDocument.Parse(await response.Content.ReadAsStringAsync());

        var root = json.RootElement;
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("replica", root.GetProperty("role").GetString());
        Assert.Equal("streaming", root.GetProperty("replication_state").GetString());
        Assert.Equal(0x3000100, root.GetProperty("xlog").GetProperty("received_location").GetInt64());
        Assert.Equal(0x3000048, root.GetProperty("xlog").GetProperty("replayed_location").GetInt64());
        Assert.True(root.GetProperty("sync_standby").GetBoolean() && root.GetProperty("pause").GetBoolean() && root.GetProperty("cluster_unlocked").GetBoolean());
    }

    [Fact]
    public async Task The_cluster_lists_data_nodes_by_name_with_their_lag()
    {
        using var json = JsonDocument.Parse(await _client.GetStringAsync("/cluster"));

        var members = json.RootElement.GetProperty("members").EnumerateArray().ToList();
        Assert.Equal(["node_1", "node_2"], members.Select(m => m.GetProperty("name").GetString()!));
        Assert.Equal(["leader", "replica"], members.Select(m => m.GetProperty("role").GetString()!));
        Assert.Equal(["running", "streaming"], members.Select(m => m.GetProperty("state").GetString()!));
        Assert.Equal(72, members[1].GetProperty("lag").GetInt32());
        Assert.Equal(256, members[1].GetProperty("replay_lag").GetInt32());
        Assert.Equal("0/3000100", members[1].GetProperty("receive_lsn").GetString());
        Assert.False(members[0].TryGetProperty("lag", out _));
        Assert.Equal("shop", json.RootElement.GetProperty("scope").GetString());
    }

    /// <summary>Paths and fields by check_patroni's own sources (cluster.py, node.py).</summary>
    [Theory]
    [InlineData(true, false, "sync_standby")]
    [InlineData(false, true, "quorum_standby")]
    [InlineData(false, false, "replica")]
    public async Task What_check_patroni_reads_is_there(bool isSynchronous, bool isQuorum, string role)
    {
        var members = _status!.Members.Select(m => m.Name == "node_2" ? m with { IsSynchronous = isSynchronous, IsQuorum = isQuorum } : m);
        _status = Statuses.Standby(Statuses.At()) with { IsSynchronous = isSynchronous, IsQuorum = isQuorum, Members = [.. members] };

        using var cluster = JsonDocument.Parse(await _client.GetStringAsync("/cluster"));
        using var node = JsonDocument.Parse(await _client.GetStringAsync("/patroni"));
        using var replica = JsonDocument.Parse(await _client.GetStringAsync("/replica?lag=16MB"));

        Assert.All(cluster.RootElement.GetProperty("members").EnumerateArray(), member => Assert.True(
            member.GetProperty("name").GetString()!.Length > 0 && member.GetProperty("role").GetString()!.Length > 0 && member.GetProperty("timeline").GetInt32() >= 0));
        var standby = cluster.RootElement.GetProperty("members")[1];
        Assert.Equal((role, "streaming"), (standby.GetProperty("role").GetString(), standby.GetProperty("state").GetString()));
        Assert.True(standby.GetProperty("lag").GetInt64() >= 0);
        Assert.False(cluster.RootElement.TryGetProperty("scheduled_switchover", out _));
        Assert.Equal(2, node.RootElement.GetProperty("timeline").GetInt32());
        Assert.False(node.RootElement.TryGetProperty("pending_restart", out _));
        Assert.Equal(isSynchronous, replica.RootElement.TryGetProperty("sync_standby", out _));
        Assert.Equal(isQuorum, replica.RootElement.TryGetProperty("quorum_standby", out _));
        Assert.Equal(await _client.GetStringAsync("/config"), await _client.GetStringAsync("/config"));
        Assert.Equal("", await _client.GetStringAsync("/liveness"));
    }

    [Fact]
    public async Task Without_a_holder_lag_is_unknown()
    {
        _status = _status! with { HolderLsn = default };

        using var json = JsonDocument.Parse(await _client.GetStringAsync("/cluster"));

        Assert.Equal("unknown", json.RootElement.GetProperty("members")[1].GetProperty("lag").GetString());
    }

    [Fact]
    public async Task History_and_settings_are_told_in_a_stable_order()
    {
        _status = _status! with
        {
            History = [new HistoryEntry(1, new Core.Model.Lsn(0x2000000), "no recovery target specified", new DateTimeOffset(2026, 11, 20, 12, 0, 0, TimeSpan.Zero), "node_1")],
            Config = _status.Config.Add("ttl", "3").Add("loop_wait", "1"),
        };

        Assert.Equal("""[[1,33554432,"no recovery target specified","2026-11-20T12:00:00.000000+00:00","node_1"]]""",
            (await _client.GetStringAsync("/history")).Replace("\\u002B", "+", StringComparison.Ordinal));
        Assert.Equal("""{"loop_wait":"1","ttl":"3"}""", await _client.GetStringAsync("/config"));
    }

    [Fact]
    public async Task Decisions_are_told_newest_last_and_not_more_than_are_asked_for()
    {
        var lines = Enumerable.Range(1, 120).Select(number => new HistoryLine { Time = DateTime.UnixEpoch.AddSeconds(number), Node = "node_1", Kind = "Paused", Term = number });
        _status = _status! with { Decisions = [.. lines] };

        using var usual = JsonDocument.Parse(await _client.GetStringAsync("/history/decisions"));
        using var two = JsonDocument.Parse(await _client.GetStringAsync("/history/decisions?last=2"));

        Assert.Equal(100, usual.RootElement.GetArrayLength());
        Assert.Equal([119, 120], two.RootElement.EnumerateArray().Select(line => line.GetProperty("term").GetInt64()));
    }

    [Fact]
    public async Task Metrics_are_well_formed_and_carry_both_names()
    {
        var lines = (await _client.GetStringAsync("/metrics")).TrimEnd('\n').Split('\n');

        Assert.All(lines, line => Assert.Matches("""^(# (HELP|TYPE) [a-z_]+ .+|[a-z_]+\{scope="shop",name="node_1"\} [0-9.E+-]+)$""", line));
        Assert.Contains("""patroni_primary{scope="shop",name="node_1"} 1""", lines);
        Assert.Contains("""patroni_postgres_timeline{scope="shop",name="node_1"} 2""", lines);
        Assert.Contains("""harepd_gate{scope="shop",name="node_1"} 2""", lines);
        Assert.Equal(lines.Count(l => l.StartsWith("# TYPE", StringComparison.Ordinal)), lines.Count(l => !l.StartsWith('#')));
    }

    [Fact]
    public async Task Before_the_first_step_everything_is_503()
    {
        _status = null;

        foreach (var path in new[] { "/", "/patroni", "/cluster", "/metrics", "/liveness", "/readiness", "/health" })
        {
            using var response = await _client.GetAsync(path);
            Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
        }
    }

    [Theory]
    [InlineData("\0\u0001\u0002 garbage\r\n\r\n", "")]
    [InlineData("GET / HTTP/9.9\r\n\r\n", "505")]
    [InlineData("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "")]
    [InlineData("OPTIONS / HTTP/1.0\r\n\r\n", "200")]
    [InlineData("OPTIONS * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "200")]
    public async Task Raw_bytes_get_an_answer_or_an_end(string request, string code)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(_server.EndPoint);
        using var reader = new StreamReader(client.GetStream());
        await client.GetStream().WriteAsync(Encoding.Latin1.GetBytes(request));
        if (code.Length == 0)
        {
            client.Client.Shutdown(SocketShutdown.Send);
        }

        var answer = await ReadAll(reader);

        Assert.StartsWith(code.Length == 0 ? "" : "HTTP/1.1 " + code, answer, StringComparison.Ordinal);
        Assert.DoesNotContain(code.Length == 0 ? " 200 " : "\0", answer, StringComparison.Ordinal);
    }

    private static async Task<string> ReadAll(StreamReader reader)
    {
        try
        {
            return await reader.ReadToEndAsync();
        }
        catch (IOException)
        {
            // A refusal may reach us as a reset, before its text was read.
            return "";
        }
    }

    [Fact]
    public async Task A_line_that_is_too_long_is_refused()
    {
        using var response = await _client.GetAsync("/" + new string('x', 9000));

        Assert.Equal(HttpStatusCode.RequestUriTooLong, response.StatusCode);
    }
}
