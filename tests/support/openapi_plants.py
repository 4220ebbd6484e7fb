"""Errors planted into the tree of docs/openapi.yaml, each of which has to be seen (test_openapi.py).

Where: names on the way down the tree, separated by blanks."""


def put(tree, steps, value):
    *way, last = steps.split(" ")
    for step in way:
        tree = tree[step]
    tree[last] = value


def drop(steps):
    def edit(tree):
        *way, last = steps.split(" ")
        for step in way:
            tree = tree[step]
        del tree[last]
    edit.__name__ = f"without {steps}"
    return edit


def change(steps, value):
    def edit(tree):
        put(tree, steps, value)
    edit.__name__ = f"{steps} = {value}"
    return edit


SCHEMAS, RESPONSES, PARAMETERS = "components schemas", "components responses", "components parameters"
REFUSED = {"$ref": "#/components/responses/RequisicaoInvalida"}
PLANTED = [
    # routes.c has more, or less
    drop("paths /api/stats"), drop("paths /api/posts post"), drop("paths /health head"),
    drop("paths /webhook options"), change("paths /api/nada", {"get": {"responses": {}}}),
    change("paths /health put", {"responses": {}}), drop("paths /api/posts/{id}"),
    drop("paths /webhook get x-outros-parametros"), change("paths /api/posts get parameters", []),
    drop("paths /api/posts post requestBody"), drop(f"{SCHEMAS} PostNovo properties autor"),
    drop(f"{SCHEMAS} Soma properties incremento"),
    # a status too few, one too many
    drop("paths /api/posts get responses 304"), drop("paths /status get responses 503"),
    drop("paths /api/posts/{id} get responses 404"), drop("paths /api/stats head responses 409"),
    drop("paths /webhook post responses 401"),
    drop("paths /api/auth/login post responses 429"), drop("paths /api/usuarios get responses 403"),
    drop("paths /api/posts/{id} put responses 412"), drop("paths /api/usuarios/{id} delete responses 409"),
    drop("paths /api/auth/eu get security"), change("paths /api/stats get security", [{"Token": []}]),
    drop(f"{RESPONSES} SemToken headers WWW-Authenticate"), drop(f"{RESPONSES} Sessao headers Cache-Control"),
    drop(f"{SCHEMAS} Conta properties ativo"), drop(f"{SCHEMAS} ContaMudada properties ativo"), drop("paths /health options responses 413"),
    change("paths /health get responses 418", REFUSED), change("paths /webhook get responses 422", REFUSED),
    # what answers hold
    drop(f"{SCHEMAS} Post properties autor"), drop(f"{SCHEMAS} Problema properties erros"),
    drop(f"{SCHEMAS} Estatisticas properties total_posts"),
    drop(f"{SCHEMAS} PaginaDePosts properties proximo"),
    change(f"{SCHEMAS} Saude properties status const", "saudável"),
    change(f"{SCHEMAS} PaginaDoCache properties fonte enum", ["cache"]),
    change(f"{SCHEMAS} PaginaDoCache properties posts maxItems", 49),
    change(f"{SCHEMAS} PaginaDePosts properties posts maxItems", 99),
    change(f"{SCHEMAS} PaginaDePosts properties proximo type", "string"),
    change(f"{SCHEMAS} Post properties conteudo maxLength", 99999),
    change(f"{SCHEMAS} Post properties id type", "string"),
    change(f"{SCHEMAS} Contador properties contador minimum", 0),
    change(f"{SCHEMAS} Saude required", ["status", "versao"]),
    drop(f"{SCHEMAS} Post additionalProperties"), change(f"{SCHEMAS} Post minProperties", 1),
    # headers
    drop(f"{RESPONSES} PaginaDePosts headers ETag"), drop(f"{RESPONSES} Indisponivel headers Retry-After"),
    drop(f"{RESPONSES} Desafio headers X-Content-Type-Options"),
    drop(f"{RESPONSES} PostCriado headers Idempotency-Replayed"), drop(f"{RESPONSES} Opcoes headers Vary"),
    change(f"{RESPONSES} Saude headers ETag", {"$ref": "#/components/headers/ETag"}),
    change("components headers ETag schema pattern", '^W/"'),
    # media types
    change(f"{RESPONSES} Saude content", {"text/plain": {"schema": {"type": "string"}}}),
    drop(f"{RESPONSES} NaoEncontrado content"),
    # operators' routes
    drop("paths /api/leads"), drop("paths /api/leads.csv get"), drop("paths /api/reenvios/{id}/cancelar post"),
    drop("paths /api/arquivos/{id} delete"), change("paths /api/eventos put", {"responses": {}}),
    change("paths /api/entregas get parameters", []), drop("paths /api/arquivos post requestBody"),
    drop("paths /api/fila/pausar post responses 403"), drop("paths /api/reenvios/{id} get responses 404"),
    drop("paths /api/entregas/{id}/corpo get responses 403"), drop("paths /api/leads/{leadgen_id} get responses 401"),
    drop("paths /api/arquivos/{id} get responses 416"), drop("paths /api/auditoria get security"),
    change("paths /api/fila get responses 418", REFUSED), change("paths /api/eventos/{id} get responses 412", REFUSED),
    drop(f"{SCHEMAS} Lead properties email"), drop(f"{SCHEMAS} Entrega properties motivo"),
    drop(f"{SCHEMAS} Evento properties conteudo_omitido"), drop(f"{SCHEMAS} Reenvio properties por_fazer"),
    drop(f"{SCHEMAS} Registro properties endereco"), drop(f"{SCHEMAS} Fila properties workers"),
    drop(f"{SCHEMAS} Arquivo properties sha256"), drop(f"{SCHEMAS} PaginaDeLeads properties redigido"),
    change(f"{SCHEMAS} PaginaDeLeads properties redigido const", True),
    change(f"{SCHEMAS} Fila properties workers type", "string"), change(f"{SCHEMAS} Lead required", ["versao"]),
    drop(f"{RESPONSES} LeadsEmCsv headers Content-Disposition"), drop(f"{RESPONSES} PaginaDeLeads headers Cache-Control"),
    drop(f"{RESPONSES} ReenvioCriado headers Location"), drop(f"{RESPONSES} ArquivoGuardado headers Location"),
    change(f"{RESPONSES} LeadsEmCsv content", {"text/plain": {"schema": {"type": "string"}}}),
]
LIMIT, NAME, KEY = f"{PARAMETERS} Limite schema", f"{PARAMETERS} NomeDoContador schema", \
    f"{PARAMETERS} ChaveDeIdempotencia schema"
TITLE = f"{SCHEMAS} PostNovo properties titulo"
BOUNDS = [
    ("GET", "/api/posts", f"{LIMIT} maximum", 99), ("GET", "/api/posts", f"{LIMIT} maximum", 101),
    ("HEAD", "/api/posts", f"{LIMIT} minimum", 0), ("GET", "/api/posts", f"{LIMIT} minimum", 2),
    ("GET", "/api/posts", f"{PARAMETERS} Busca schema maxLength", 199),
    ("GET", "/api/posts", f"{PARAMETERS} Autor schema minLength", 0),
    ("GET", "/api/posts", f"{PARAMETERS} Busca required", True),
    ("GET", "/api/posts/{id}", f"{PARAMETERS} IdDoPost schema minimum", 2),
    ("GET", "/api/contadores/{nome}", f"{NAME} maxLength", 65),
    ("POST", "/api/contadores/{nome}", f"{NAME} pattern", "^[a-z0-9_.-]+$"),
    ("POST", "/api/contadores/{nome}", f"{SCHEMAS} Soma properties incremento minimum", 0),
    ("POST", "/api/posts", f"{TITLE} maxLength", 199), ("POST", "/api/posts", f"{TITLE} maxLength", 201),
    ("POST", "/api/posts", f"{TITLE} minLength", 2), ("POST", "/api/posts", f"{TITLE} minLength", 0),
    ("POST", "/api/posts", f"{TITLE} type", ["string", "null"]),
    ("POST", "/api/posts", f"{SCHEMAS} PostNovo properties autor type", "string"),
    ("POST", "/api/posts", f"{SCHEMAS} PostNovo properties conteudo maxLength", 99999),
    ("POST", "/api/posts", f"{SCHEMAS} PostNovo required", ["titulo"]),
    ("POST", "/api/posts", f"{SCHEMAS} PostNovo required", ["titulo", "conteudo", "autor"]),
    ("POST", "/api/posts", f"{KEY} maxLength", 254), ("POST", "/api/posts", f"{KEY} minLength", 0),
    ("POST", "/api/posts", "paths /api/posts post requestBody required", False),
    ("POST", "/api/contadores/{nome}", "paths /api/contadores/{nome} post requestBody required", True),
    ("POST", "/webhook", "paths /webhook post requestBody x-maximo-de-bytes", (3 << 20) - 1),
    ("OPTIONS", "/health", f"{RESPONSES} EnderecoLongoDemais x-maximo-de-bytes", 3583),
    ("POST", "/webhook", f"{RESPONSES} EnderecoLongoDemais x-maximo-de-bytes", 3585),
    ("HEAD", "/health", f"{RESPONSES} CabecalhosGrandesDemais x-maximo-de-bytes", 3584),
    ("POST", "/api/usuarios", f"{SCHEMAS} ContaNova properties senha minLength", 11),
    ("POST", "/api/usuarios", f"{SCHEMAS} ContaNova properties senha maxLength", 129),
    ("POST", "/api/usuarios", f"{SCHEMAS} ContaNova properties email maxLength", 255),
    ("POST", "/api/usuarios", f"{SCHEMAS} ContaNova properties nome maxLength", 99),
    ("PATCH", "/api/usuarios/{id}", f"{SCHEMAS} ContaMudada properties nome type", ["string", "null"]),
    ("PATCH", "/api/posts/{id}", f"{SCHEMAS} PostMudado properties titulo type", ["string", "null"]),
    ("GET", "/webhook", f"{PARAMETERS} Modo schema const", "assinar"),
    ("GET", "/webhook", f"{PARAMETERS} Desafio required", False),
]
