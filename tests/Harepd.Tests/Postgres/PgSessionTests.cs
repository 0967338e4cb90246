using System.Net;
using System.Net.Sockets;
using Harepd.Clock;
using Harepd.Core.Model;
using Harepd.Postgres.Linux;
using Harepd.Postgres.Wire;
using Harepd.Tests.Files;
using Xunit;

namespace Harepd.Tests.Postgres;

public sealed class PgSessionTests : IDisposable
{
    private readonly TestServer _server = TestServer.Start("127.30.2.1");

    private static Instant Soon => BootClock.Now + TimeSpan.FromSeconds(20);

    private PgEndpoint Local => new() { Host = _server.Folder, Port = _server.Port, User = "postgres" };

    private PgEndpoint Tcp => Local with { Host = _server.Address };

    public void Dispose() => _server.Dispose();

    [Fact]
    public void Statements_give_their_tables_and_errors_leave_the_session_usable()
    {
        using var session = PgSession.TryOpen(Local, Soon, out var fault);
        Assert.Null(fault);

        var reply = session!.Query("select 1, null, 'ä'; set work_mem = '1MB'; select x from generate_series(1,3) x", Soon);
        Assert.Equal([["1", null, "ä"]], reply.Tables[0]);
        Assert.Equal([["1"], ["2"], ["3"]], reply.Tables[1]);

        var broken = session.Query("select 1/0", Soon);
        Assert.Equal(("22012", PgFaultKind.Server, false), (broken.Fault!.SqlState, broken.Fault.Kind, broken.Fault.EndsSession));
        Assert.Equal("postgres", session.Query("select current_user", Soon).Value);
        Assert.Equal(_server.PostmasterPid, session.ListenerPid);
    }

    [Theory]
    [InlineData("trust", "md5")]
    [InlineData("password", "scram-sha-256")]
    [InlineData("md5", "md5")]
    [InlineData("scram-sha-256", "scram-sha-256")]
    public void Every_login_method_of_pg_hba_works_and_a_wrong_password_does_not(string method, string encryption)
    {
        _server.Query($"set password_encryption = '{encryption}'; create role someone login password 'se:c\\ret ä'");
        _server.WriteHba($"local all all trust\nhost all all all {method}\n");
        _server.Query("select pg_reload_conf()");
        Eventually.True(() => Reply(Tcp with { User = "someone", Password = "wrong" }) == (method == "trust" ? "someone" : "28P01"), "the reload takes");
        using var folder = new TemporaryFolder();
        var passFile = folder.File("pass");
        File.WriteAllText(passFile, $"# comment\n127.0.0.9:*:*:someone:no\n*:{_server.Port}:postgres:someone:se\\:c\\\\ret ä\n");
        Command.Run("chmod", "0400", passFile);

        Assert.Equal("someone", Reply(Tcp with { User = "someone", Password = "se:c\\ret ä" }));
        Assert.Equal("someone", Reply(Tcp with { User = "someone", PassFile = passFile }));
        if (method != "trust")
        {
            Assert.Contains("none is configured", Reply(Tcp with { User = "someone" }), StringComparison.Ordinal);
            Command.Run("chmod", "0440", passFile);
            Assert.Contains("none is configured", Reply(Tcp with { User = "someone", PassFile = passFile }), StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_missing_server_is_told_from_one_that_does_not_answer()
    {
        Assert.Equal(PgFaultKind.NotThere, Fault(Local with { Host = "/tmp" }).Kind);
        Assert.Equal(PgFaultKind.NotThere, Fault(Tcp with { Port = 1 }).Kind);
        Assert.Equal(PgFaultKind.NotThere, Fault(Tcp with { Host = "db.example.com" }).Kind);

        _server.Signal("STOP");
        try
        {
            Assert.Equal(PgFaultKind.TimedOut, Fault(Local, BootClock.Now + TimeSpan.FromMilliseconds(100)).Kind);
            Assert.Equal(PgFaultKind.TimedOut, Fault(Tcp, BootClock.Now + TimeSpan.FromMilliseconds(100)).Kind);
        }
        finally
        {
            _server.Signal("CONT");
        }
    }

    [Fact]
    public void A_statement_that_takes_too_long_ends_the_session_at_its_deadline()
    {
        using var session = PgSession.TryOpen(Local, Soon, out _);

        var reply = session!.Query("select pg_sleep(600)", BootClock.Now + TimeSpan.FromMilliseconds(50));

        Assert.Equal(PgFaultKind.TimedOut, reply.Fault!.Kind);
        Assert.True(session.IsBroken);
    }

    [Fact]
    public void A_wake_event_ends_a_wait()
    {
        using var wake = new WakeEvent();
        using var session = PgSession.TryOpen(Local, Soon, out _, wake);
        using var later = new Timer(_ => wake.Signal(), null, 50, Timeout.Infinite);

        Assert.Equal(PgFaultKind.Interrupted, session!.Query("select pg_sleep(600)", Soon).Fault!.Kind);
    }

    [Fact]
    public void The_end_of_the_server_ends_the_session()
    {
        using var session = PgSession.TryOpen(Local, Soon, out _);
        _server.Signal("KILL");

        Assert.True(session!.Query("select pg_sleep(600)", Soon).Fault!.EndsSession);
        Assert.True(session.IsBroken);
    }

    [Fact]
    public void A_fatal_error_says_why_and_ends_the_session()
    {
        using var session = PgSession.TryOpen(Local, Soon, out _);

        var reply = session!.Query("select pg_terminate_backend(pg_backend_pid()), pg_sleep(1)", Soon);

        Assert.Equal(("57P01", true), (reply.Fault!.SqlState, reply.Fault.EndsSession));
        Assert.True(session.IsBroken);
    }

    [Theory]
    [InlineData("HTTP/1.1 400 Bad Request\r\n\r\n")]
    [InlineData("R\u0000\u0000\u0000\u0002")]
    [InlineData("R\u007F\u0000\u0000\u0002xxxx")]
    [InlineData("R\u0000\u0000\u0000\u0008\u0000\u0000\u0000\u0000Z\u0000\u0000\u0000\u0005ID\u0000\u0000\u0000\u0008\u0000\u0009\u0000\u0000")]
    public async Task Nonsense_is_a_fault_and_never_an_exception(string answer)
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Parse("127.30.2.9"), 0));
        listener.Listen();
        var server = Task.Run(() =>
        {
            using var client = listener.Accept();
            client.Send(System.Text.Encoding.Latin1.GetBytes(answer));
            client.Shutdown(SocketShutdown.Send);
            var sink = new byte[1000];
            while (client.Receive(sink, SocketFlags.None, out _) > 0)
            {
            }
        });

        var endpoint = Tcp with { Host = "127.30.2.9", Port = ((IPEndPoint)listener.LocalEndPoint!).Port };
        using (var session = PgSession.TryOpen(endpoint, Soon, out var fault))
        {
            Assert.NotNull(fault ?? session!.Query("select 1", Soon).Fault);
        }

        await server;
    }

    private static PgFault Fault(PgEndpoint endpoint, Instant? deadline = null)
    {
        using var session = PgSession.TryOpen(endpoint, deadline ?? Soon, out var fault);
        return fault!;
    }

    private static string Reply(PgEndpoint endpoint)
    {
        using var session = PgSession.TryOpen(endpoint, Soon, out var fault);
        return session?.Query("select current_user", Soon).Value ?? (fault!.SqlState.Length > 0 ? fault.SqlState : fault.Message);
    }
}
