declare module 'swagger-ui-dist/swagger-ui-es-bundle.js' {
  interface Options {
    domNode: Element;
    spec: object;
    docExpansion?: 'list' | 'full' | 'none';
    defaultModelsExpandDepth?: number;
    deepLinking?: boolean;
    displayRequestDuration?: boolean;
    filter?: boolean;
    supportedSubmitMethods?: string[];
    validatorUrl?: null;
    requestInterceptor?: (request: { url: string; headers: Record<string, string> }) => object;
    onComplete?: () => void;
  }
  export default function SwaggerUIBundle(options: Options): unknown;
}
