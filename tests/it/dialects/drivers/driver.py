# Connects with each string of a file and says what came of it, a line each. Arguments: the driver, the file.
import asyncio, sys

QUERY = "select ssl from pg_stat_ssl where pid = pg_backend_pid()"


def dbapi(connect):
    def run(text):
        connection = connect(text)
        cursor = connection.cursor()
        cursor.execute(QUERY)
        found = cursor.fetchone()[0]
        connection.close()
        return found

    return run


def called(text):
    """What a call in Python's own words gives."""
    import importlib, ssl

    from sqlalchemy import create_engine
    from sqlalchemy.ext.asyncio import create_async_engine

    modules = {name: importlib.import_module(name) for name in ("asyncpg", "pg8000", "psycopg2")}
    engines = {"create_engine": create_engine, "create_async_engine": create_async_engine}
    return eval(text, {"ssl": ssl, **modules, **engines})


def pg8000(text):
    return dbapi(called)(text)


def psycopg(text):
    import psycopg

    return dbapi(psycopg.connect)(text)


def psycopg2(text):
    import psycopg2

    return dbapi(psycopg2.connect)(text)


def asyncpg(text):
    import asyncpg

    async def main():
        if text.startswith("asyncpg.connect("):
            connection = await called(text)
        else:
            connection = await asyncpg.connect(text, timeout=20)
        found = await connection.fetchval(QUERY)
        await connection.close()
        return found

    return asyncio.run(main())


def sqlalchemy_asyncpg(text):
    from sqlalchemy import text as sql
    from sqlalchemy.ext.asyncio import create_async_engine

    async def main():
        engine = called(text) if text.startswith("create_") else create_async_engine(text)
        try:
            async with engine.connect() as connection:
                return (await connection.execute(sql(QUERY))).scalar()
        finally:
            await engine.dispose()

    return asyncio.run(main())


def django(text):
    import ast
    import dj_database_url
    from django.conf import settings
    from django.db.utils import ConnectionHandler

    if not settings.configured:
        settings.configure()
    setup = ast.literal_eval(text) if text.startswith("{") else dj_database_url.parse(text)
    connection = ConnectionHandler({"default": setup})["default"]
    try:
        with connection.cursor() as cursor:
            cursor.execute(QUERY)
            return cursor.fetchone()[0]
    finally:
        connection.close()


def odbc(text):
    import ctypes

    library = ctypes.CDLL("libodbc.so.2")
    environment, connection, statement = ctypes.c_void_p(), ctypes.c_void_p(), ctypes.c_void_p()
    library.SQLAllocHandle(1, None, ctypes.byref(environment))
    library.SQLSetEnvAttr(environment, 200, ctypes.c_void_p(3), 0)
    library.SQLAllocHandle(2, environment, ctypes.byref(connection))

    def check(result, kind, handle):
        if result not in (0, 1):
            state, message = ctypes.create_string_buffer(6), ctypes.create_string_buffer(1024)
            native, length = ctypes.c_int(), ctypes.c_short()
            library.SQLGetDiagRec(
                kind, handle, 1, state, ctypes.byref(native), message, 1024, ctypes.byref(length)
            )
            raise RuntimeError(message.value.decode(errors="replace"))

    try:
        string = text.encode()
        check(library.SQLDriverConnect(connection, None, string, len(string), None, 0, None, 0), 2, connection)
        library.SQLAllocHandle(3, connection, ctypes.byref(statement))
        query = b"select ssl::text from pg_stat_ssl where pid = pg_backend_pid()"
        check(library.SQLExecDirect(statement, query, len(query)), 3, statement)
        check(library.SQLFetch(statement), 3, statement)
        found, length = ctypes.create_string_buffer(16), ctypes.c_ssize_t()
        check(library.SQLGetData(statement, 1, 1, found, 16, ctypes.byref(length)), 3, statement)
        library.SQLDisconnect(connection)
        return found.value in (b"true", b"1")
    finally:
        library.SQLFreeHandle(2, connection)
        library.SQLFreeHandle(1, environment)


def sqlalchemy(text):
    from sqlalchemy import create_engine, text as sql

    engine = called(text) if text.startswith("create_") else create_engine(text)
    with engine.connect() as connection:
        found = connection.execute(sql(QUERY)).scalar()
    engine.dispose()
    return found


run = globals()[sys.argv[1]]
for line in open(sys.argv[2]):
    try:
        print("tls" if run(line.rstrip("\n")) else "plaintext", flush=True)
    except BaseException as error:
        print("refused", type(error).__name__, " ".join(str(error).split()), flush=True)
