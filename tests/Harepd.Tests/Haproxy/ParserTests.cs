using Harepd.Haproxy;
using Xunit;

namespace Harepd.Tests.Haproxy;

public sealed class ParserTests
{
    private const string Header = "1\n# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight";

    [Theory]
    [InlineData("unix:/run/haproxy/admin.sock", "unix:/run/haproxy/admin.sock", null)]
    [InlineData("/run/haproxy/admin.sock", "unix:/run/haproxy/admin.sock", null)]
    [InlineData("tcp:10.0.0.1:9999", "tcp:10.0.0.1:9999", null)]
    [InlineData("tcp:[::1]:9999", "tcp:[::1]:9999", null)]
    [InlineData("tcp:lb1.example:9999", "tcp:lb1.example:9999", null)]
    [InlineData("master:/run/m.sock", null, "unix:/run/m.sock")]
    [InlineData("master:tcp:10.0.0.1:1234", null, "tcp:10.0.0.1:1234")]
    [InlineData("unix:/run/a.sock, master:unix:/run/m.sock", "unix:/run/a.sock", "unix:/run/m.sock")]
    [InlineData("unix:/run/a.sock,hold:unix:/run/h.sock", "unix:/run/a.sock", null, "unix:/run/h.sock")]
    [InlineData("hold:tcp:10.0.0.1:5998, tcp:10.0.0.1:9999", "tcp:10.0.0.1:9999", null, "tcp:10.0.0.1:5998")]
    public void An_endpoint_is_read(string text, string? runtime, string? master, string? hold = null)
    {
        Assert.True(HaproxyEndpoint.TryParse(text, out var endpoint, out _));
        Assert.Equal(runtime, endpoint!.Runtime?.ToString());
        Assert.Equal(master, endpoint.Master?.ToString());
        Assert.Equal(hold, endpoint.Hold?.ToString());
    }

    [Theory]
    [InlineData("")]
    [InlineData("run/a.sock")]
    [InlineData("unix:run/a.sock")]
    [InlineData("tcp:10.0.0.1")]
    [InlineData("tcp:10.0.0.1:0")]
    [InlineData("tcp:10.0.0.1:70000")]
    [InlineData("tcp:::1:9999")]
    [InlineData("tcp::9999")]
    [InlineData("http://10.0.0.1:80")]
    [InlineData("unix:/a,unix:/b")]
    [InlineData("master:/a,master:/b")]
    [InlineData("hold:/a")]
    [InlineData("unix:/a,hold:/b,hold:/c")]
    public void A_bad_endpoint_is_refused_with_a_reason(string text)
    {
        Assert.False(HaproxyEndpoint.TryParse(text, out _, out var reason));
        Assert.NotEqual("", reason);
    }

    [Fact]
    public void A_socket_path_longer_than_the_kernel_takes_is_refused() =>
        Assert.False(HaproxyEndpoint.TryParse("/" + new string('x', 107), out _, out _));

    [Theory]
    [InlineData("wr", "a", null)]
    [InlineData("wr", "a b", "server")]
    [InlineData("wr", "a;shutdown", "server")]
    [InlineData("wr/x", "a", "backend")]
    [InlineData("wr", "hold", "parks")]
    [InlineData("wr", "", "server")]
    public void A_name_that_could_end_a_command_is_refused(string backend, string server, string? fault)
    {
        var found = new HaproxyTarget(backend, null, server).Fault();

        Assert.Equal(fault is null, found is null);
        Assert.Contains(fault ?? "", found ?? "", StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("set maxconn frontend", "raising it again from 0 aborts HAProxy 2.6 with a client waiting")]
    [InlineData("set maxconn server", "0 does not release what queued under 1")]
    [InlineData(" addr {", "set server addr is not kept over a reload, not even by a state file")]
    public void A_command_that_is_a_trap_is_never_used(string command, string why)
    {
        Assert.NotEmpty(why);
        var sources = Directory.EnumerateFiles(Path.Combine(House.Repository.Root, "src", "Harepd"), "*.cs", SearchOption.AllDirectories);

        Assert.DoesNotContain(sources, path => File.ReadAllText(path).Contains(command, StringComparison.Ordinal));
    }

    [Fact]
    public void Columns_are_found_by_name_whatever_a_version_adds()
    {
        var rows = ServersState.Parse("1\n# be_id new srv_admin_state be_name srv_op_state srv_name\n7 zz 5 wr 0 a\n", out _);

        var row = Assert.Single(rows!.Value);
        Assert.Equal(("wr", "a", OperationalState.Stopped), (row.Backend, row.Name, row.Operational));
        Assert.True(row.IsCut);
    }

    [Theory]
    [InlineData("1\n# be_id be_name srv_name\n2 wr a\n")]
    [InlineData(Header + "\n2 wr 1 a 127.0.0.1 2\n")]
    [InlineData(Header + "\n2 wr 1 a 127.0.0.1 nine 0 1\n")]
    [InlineData(Header + "\n2 wr 1 a 127.0.0.1 2 -1 1\n")]
    [InlineData(Header + "\n2 wr 1 a 127.0.0.1 9 0 1\n")]
    [InlineData("hello\n")]
    public void A_table_that_is_none_is_refused(string block)
    {
        Assert.Null(ServersState.Parse(block, out var reason));
        Assert.NotEqual("", reason);
    }

    [Theory]
    [InlineData(0, 2, true, false, true)]
    [InlineData(4, 2, true, false, true)]
    [InlineData(1, 0, false, true, false)]
    [InlineData(5, 0, false, true, false)]
    [InlineData(2, 0, false, false, false)]
    [InlineData(8, 2, false, false, false)]
    [InlineData(32, 0, false, false, false)]
    [InlineData(0, 0, true, false, false)]
    [InlineData(64, 1, true, false, true)]
    public void Admin_bits_mean_what_haproxy_says(int admin, int operational, bool isOpen, bool isCut, bool isServing)
    {
        var row = Assert.Single(ServersState.Parse($"{Header}\n2 wr 1 a 127.0.0.1 {operational} {admin} 1\n", out _)!.Value);

        Assert.Equal((isOpen, isCut, isServing), (row.IsOpen, row.IsCut, row.IsServing));
    }

    [Fact]
    public void A_weight_of_zero_serves_nobody() =>
        Assert.False(Assert.Single(ServersState.Parse($"{Header}\n2 wr 1 a 127.0.0.1 2 0 0\n", out _)!.Value).IsServing);

    [Fact]
    public void Statistics_are_read_with_quotes_and_without_backends()
    {
        var rows = ServerStats.Parse("# pxname,svname,qcur,scur,status,type,check_status,last_chk,\nwr,a,0,3,\"DOWN, 1/2\",2,L7STS,\"say \"\"no\"\"\",\nwr,BACKEND,0,9,UP,1,,,\n");

        var row = Assert.Single(rows!.Value);
        Assert.Equal((3, "DOWN, 1/2", "L7STS say \"no\""), (row.Sessions, row.Status, row.LastCheck));
    }

    [Fact]
    public void Statistics_without_sessions_are_refused()
    {
        Assert.Null(ServerStats.Parse("# pxname,svname,qcur\nwr,a,0\n"));
        Assert.Null(ServerStats.Parse("# pxname,svname,qcur,scur\nwr\n"));
    }

    [Fact]
    public void Only_old_workers_are_old()
    {
        const string processes = "#<PID>          <type>          <reloads>\n10              master          1\n# workers\n11              worker          0\n# old workers\n12              worker          1\n13              program         1\n# programs\n14              worker          0\n";

        Assert.Equal([12], OldWorkers.OldPids(processes));
    }

    [Fact]
    public void Sessions_are_chosen_by_backend_and_server()
    {
        const string listing = "0x5625723bf9b0: proto=tcpv4 src=127.0.0.1:49178 fe=wr be=wr srv=a ts=00\n0x1: proto=tcpv4 be=wr srv=b ts=00\n0xzz: be=wr srv=a ts=00\n0x3: proto=unix_stream fe=GLOBAL be=<NONE> srv=<none> ts=00\ngarbage\n";

        Assert.Equal(["0x5625723bf9b0"], OldWorkers.Sessions(listing, (b, s) => b == "wr" && s == "a"));
    }
}
