using Harepd.Postgres.Wire;
using Xunit;

namespace Harepd.Tests.Postgres;

public sealed class ConnInfoTests
{
    [Theory]
    [InlineData("host=10.0.0.1 user=repmgr dbname=repmgr connect_timeout=2", "10.0.0.1")]
    [InlineData("host = '10.0.0.1' port= 5432", "10.0.0.1")]
    [InlineData(@"host=10.0.0\.1", "10.0.0.1")]
    [InlineData(@"application_name='it\'s host=10.9.9.9 \\' host=db1", "db1")]
    [InlineData("password='host=10.9.9.9' host=10.0.0.1", "10.0.0.1")]
    [InlineData("application_name=10.9.9.9 user=repmgr", "")]
    [InlineData("host=db1 hostaddr=10.0.0.1", "10.0.0.1")]
    [InlineData("host=db1,db2 hostaddr=10.0.0.1,", "10.0.0.1|db2")]
    [InlineData("hostaddr=10.0.0.1,10.0.0.2", "10.0.0.1|10.0.0.2")]
    [InlineData("host=db1,10.0.0.2 port=5432,5433", "db1|10.0.0.2")]
    [InlineData("host=10.0.0.1 host=10.0.0.2", "10.0.0.2")]
    [InlineData("host=/var/run/postgresql", "/var/run/postgresql")]
    [InlineData("", "")]
    [InlineData("\tdbname=''\nhost=db1", "db1")]
    [InlineData("postgresql://10.0.0.1/repmgr", "10.0.0.1")]
    [InlineData("postgres://repmgr:10.9.9.9@db1:5432,10.0.0.2:5433/repmgr?application_name=10.8.8.8", "db1|10.0.0.2")]
    [InlineData("postgresql://repmgr@[2001:db8::1]:5432/repmgr", "2001:db8::1")]
    [InlineData("postgresql:///repmgr?host=db1&port=5433", "db1")]
    [InlineData("postgresql://db1?hostaddr=10.0.0.1", "10.0.0.1")]
    [InlineData("postgresql://%2Fvar%2Frun/repmgr", "/var/run")]
    [InlineData("postgresql://", "")]
    public void The_hosts_are_those_that_libpq_would_reach(string conninfo, string hosts)
    {
        Assert.Equal(hosts, string.Join('|', ConnInfo.HostsOf(conninfo)!));
    }

    [Theory]
    [InlineData("host='10.0.0.1")]
    [InlineData("host")]
    [InlineData("10.0.0.1 host=10.0.0.2")]
    [InlineData("=10.0.0.1")]
    [InlineData("host=a,b hostaddr=10.0.0.1")]
    [InlineData("postgresql://[2001:db8::1/repmgr")]
    [InlineData("postgresql://db%zz1/repmgr")]
    [InlineData("postgresql://db1/repmgr?host")]
    [InlineData("postgresql://db1/repmgr?host=a=b")]
    public void A_string_that_libpq_rejects_has_no_hosts(string conninfo)
    {
        Assert.Null(ConnInfo.HostsOf(conninfo));
    }

    [Theory]
    [InlineData("host=10.0.0.1 user=repmgr", "host='10.0.0.9' port='5433' user='repmgr'")]
    [InlineData("user=a hostaddr=10.0.0.1 host=db1 port=1", "host='10.0.0.9' port='5433' user='a'")]
    [InlineData(@"password='it\'s a \\' host=x", @"host='10.0.0.9' password='it\'s a \\' port='5433'")]
    [InlineData("", "host='10.0.0.9' port='5433'")]
    [InlineData("host='10.0.0.1", null)]
    [InlineData("postgresql://10.0.0.1/repmgr", null)]
    public void For_another_host_all_else_is_kept(string conninfo, string? expected)
    {
        var moved = ConnInfo.WithHost(conninfo, "10.0.0.9", 5433);

        Assert.Equal(expected, moved);
        Assert.Equal(expected, moved is null ? null : ConnInfo.WithHost(moved, "10.0.0.9", 5433));
    }
}
