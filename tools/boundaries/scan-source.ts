import { parseSync, Visitor } from 'oxc-parser';

export interface ScannedSource {
  imports: SourceImport[];
  /** The lines that read `process.env`. */
  envLines: number[];
}

export interface SourceImport {
  /** What stands between the quotes. */
  specifier: string;
  line: number;
}

/**
 * What a source imports (statically, dynamically, as a type, by require or `import.meta.resolve`) and where it reads the
 * environment. An import whose name is put together at run time cannot be seen.
 * @throws Error when the source does not parse.
 */
export function scanSource(path: string, code: string): ScannedSource {
  const { program, errors } = parseSync(path, code);
  if (errors[0]) throw new Error(`${path} does not parse: ${errors[0].message}`);
  const imports: SourceImport[] = [];
  const envLines: number[] = [];
  const lineAt = (offset: number) => code.slice(0, offset).split('\n').length;
  const addImport = (source: { type: string; start: number } | null | undefined) => {
    if (source && 'value' in source && typeof source.value === 'string') {
      imports.push({ specifier: source.value, line: lineAt(source.start) });
    }
  };
  const addEnv = (node: { start: number }) => envLines.push(lineAt(node.start));

  new Visitor({
    ImportDeclaration(node) {
      addImport(node.source);
      if (!isProcessModule(node.source.value)) return;
      const names = node.specifiers.map((each) =>
        each.type === 'ImportSpecifier' && each.imported.type === 'Identifier' ? each.imported.name : undefined,
      );
      if (names.includes('env')) addEnv(node);
    },
    ExportNamedDeclaration: (node) => addImport(node.source),
    ExportAllDeclaration: (node) => addImport(node.source),
    ImportExpression: (node) => addImport(node.source),
    TSImportType: (node) => addImport(node.source),
    CallExpression(node) {
      const argument = node.arguments[0];
      if (argument && /^(require|import\.meta\.resolve)$/.test(code.slice(node.callee.start, node.callee.end))) {
        addImport(argument);
      }
    },
    MemberExpression(node) {
      const { object, property } = node;
      const key = 'value' in property ? property.value : 'name' in property ? property.name : undefined;
      if (key === 'env' && isProcess(object)) addEnv(node);
    },
    VariableDeclarator({ id, init }) {
      if (id.type !== 'ObjectPattern' || !init || !isProcess(init)) return;
      const takesEnv = id.properties.some(
        (each) => each.type === 'Property' && 'name' in each.key && each.key.name === 'env',
      );
      if (takesEnv) addEnv(id);
    },
  }).visit(program);
  return { imports, envLines };
}

function isProcessModule(specifier: string): boolean {
  return specifier === 'process' || specifier === 'node:process';
}

/** `process` or `globalThis.process`. */
function isProcess(node: { type: string }): boolean {
  if (node.type === 'MemberExpression' && 'property' in node) return isProcess(node.property as { type: string });
  return node.type === 'Identifier' && 'name' in node && node.name === 'process';
}
